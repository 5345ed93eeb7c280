import BOLT11
import BridgeProtocol
import Foundation
import LCPCore
import LCPTesting
import LCPWire
import LightningCrypto
import LightningTypes
import SwiftProtobuf
import Synchronization
import Testing

@testable import WorkerKit

/// Values that these tests share.
enum Sample {
    static let now = UnixTime(seconds: 1_767_225_600)
    static let context = WorkerContext(nodeID: nil, network: "regtest")

    static func providerKey() throws -> SecretKey {
        try #require(SecretKey([UInt8](repeating: 7, count: 32)))
    }

    static func requesterKey() throws -> SecretKey {
        try #require(SecretKey([UInt8](repeating: 8, count: 32)))
    }

    static func id<ID: Identifier32>(_ byte: UInt8) -> ID {
        ID(Bytes32([UInt8](repeating: byte, count: 32)) ?? .zero)
    }

    /// The profile of the reference implementation's built-in table.
    static let profile = ChatProfile(
        name: "gpt-5.2",
        price: TokenPrice(inputMsatPerMillion: 1_750_000, outputMsatPerMillion: 14_000_000)
    )
    static let rules = ProviderRules(prices: PriceList(profiles: [profile]))
    static let prompt = "Say hello in one word."
    static let price = MilliSatoshi(msat: 57_355)

    static func params(_ profile: String = "gpt-5.2") throws -> [UInt8] {
        try V01.LLMChatParams(profile: profile).encoded()
    }

    static func request(_ prompt: String = prompt) throws -> V01.QuoteRequest {
        try V01.QuoteRequest(
            taskKind: V01.llmChat,
            input: Array(prompt.utf8),
            params: params()
        )
    }

    static func invoice(
        _ order: BusCreateInvoice,
        preimage: Bytes32,
        at now: UnixTime
    ) throws -> String {
        try InvoiceDraft(
            network: .regtest,
            amount: MilliSatoshi(msat: order.amountMsat),
            timestamp: now,
            paymentHash: PaymentHash(SHA256.hash(preimage.bytes)),
            paymentSecret: preimage,
            description: .hash(try #require(Bytes32(order.descriptionHash))),
            minFinalCLTV: 80,
            expirySeconds: max(1, order.expiryUnix - min(order.expiryUnix, now.seconds)),
            features: .lndInvoice
        ).signed(with: providerKey())
    }

    /// An item for a job, by default a new one.
    static func item(
        _ role: BusRole,
        _ events: [BusJobEvent.OneOf_Body],
        after reply: BusJobReply? = nil,
        outstanding: [UInt64]? = nil,
        at now: UnixTime = now
    ) throws -> BusJobItem {
        let peer = try role == .provider ? requesterKey() : providerKey()
        return BusJobItem.with {
            $0.job.role = role
            $0.job.peer = Data(peer.publicKey.bytes)
            $0.job.jobID = Data(repeating: 9, count: 32)
            $0.version = reply.map { $0.version + 1 } ?? 0
            $0.state = reply?.state ?? Data()
            $0.events = events.map { body in .with { $0.body = body } }
            $0.outstanding = outstanding ?? reply?.effects.map(\.id) ?? []
            $0.peer.connected = true
            $0.peer.maxPayloadBytes = 16384
            $0.peer.requestsLastMinute = 1
            $0.nowUnix = now.seconds
            $0.attempt = 1
        }
    }

    /// A message as the bridge hands it over.
    static func message(
        _ message: V01.Message,
        version: UInt16 = 1
    ) throws -> BusJobEvent.OneOf_Body {
        raw(message.type.rawValue, try message.encoded(), version: version)
    }

    static func raw(
        _ type: UInt16,
        _ payload: [UInt8],
        version: UInt16 = 1
    ) -> BusJobEvent.OneOf_Body {
        .message(
            .with {
                $0.type = UInt32(type)
                $0.protocolVersion = UInt32(version)
                $0.jobID = Data(repeating: 9, count: 32)
                $0.msgID = Data(repeating: 1, count: 32)
                $0.payload = Data(payload)
            }
        )
    }

    static func envelope(job: JobID = id(9), version: UInt16 = 1) -> V01.Envelope {
        V01.Envelope(
            protocolVersion: version,
            jobID: job,
            messageID: id(1),
            expiry: now.advanced(bySeconds: 600)
        )
    }

    static func quoteRequest() throws -> BusJobEvent.OneOf_Body {
        try message(.quoteRequest(envelope(), request()))
    }

    /// Identifiers that count up, the same in every run.
    static func identifiers() -> IdentifierSource {
        let counter = Counter()
        return IdentifierSource { counter.next() }
    }

    private final class Counter: Sendable {
        private let count = Mutex<UInt64>(0)

        func next() -> Bytes32 {
            let value = count.withLock {
                $0 += 1
                return $0
            }
            return SHA256.hash(Array("\(value)".utf8))
        }
    }
}

extension BusJobReply {
    /// The effects' bodies.
    var bodies: [BusEffect.OneOf_Body] { effects.compactMap(\.body) }

    /// The first message this reply sends.
    var sent: BusSendMessage? {
        for case .send(let message) in bodies { return message }
        return nil
    }

    /// The id of the first effect.
    var firstID: UInt64? { effects.first?.id }
}
