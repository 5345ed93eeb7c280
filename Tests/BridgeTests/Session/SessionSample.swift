import Bridge
import LCPTesting
import LCPWire
import LightningTypes

@testable import LndRPC

/// Values for tests of the session; the same number gives the same value.
enum SessionSample {
    static let now = UnixTime(seconds: 1_800_000_000)

    static func bytes32(_ number: Int) -> Bytes32 {
        var random = SeededGenerator(seed: UInt64(number))
        guard let bytes = Bytes32(random.bytes(32)) else { preconditionFailure("32 bytes") }
        return bytes
    }

    static func peer(_ number: Int) -> NodeID {
        guard let peer = NodeID([2] + bytes32(number).bytes) else {
            preconditionFailure("33 bytes that begin with 2")
        }
        return peer
    }

    static func listed(_ number: Int, address: String = "127.0.0.1:9735") -> Peer {
        Peer(
            nodeID: peer(number),
            address: address,
            isInbound: false,
            pingTime: .zero,
            flapCount: 0
        )
    }

    static let node = NodeInfo(
        nodeID: peer(1000),
        alias: "",
        version: "",
        network: "regtest",
        blockHeight: 1,
        bestHeaderAt: now,
        isSyncedToChain: true,
        isSyncedToGraph: true,
        peerCount: 0,
        activeChannelCount: 0,
        addresses: []
    )

    static func invoice(_ number: Int) -> Invoice {
        Invoice(
            paymentHash: PaymentHash(bytes32(number)),
            preimage: nil,
            state: .settled,
            amount: nil,
            amountPaid: .zero,
            createdAt: now,
            expiresAt: now,
            settledAt: now,
            descriptionHash: nil,
            paymentRequest: nil,
            addIndex: 1,
            settleIndex: 1
        )
    }

    static func envelope(
        job: Int = 1,
        message: Int = 1,
        expiresIn seconds: Int = 300
    ) -> V01.Envelope {
        V01.Envelope(
            jobID: JobID(bytes32(job)),
            messageID: MessageID(bytes32(message)),
            expiry: UnixTime(seconds: UInt64(Int(now.seconds) + seconds))
        )
    }

    /// A quote request; `padding` is the length of its prompt in bytes.
    static func request(
        job: Int = 1,
        message: Int = 1,
        expiresIn seconds: Int = 300,
        padding: Int = 5
    ) throws -> [UInt8] {
        let request = try V01.QuoteRequest(
            taskKind: "test",
            input: Array(repeating: 0x61, count: padding),
            params: nil
        )
        let envelope = envelope(job: job, message: message, expiresIn: seconds)
        return try V01.Message.quoteRequest(envelope, request).encoded()
    }

    static func error(job: Int = 1, message: Int = 1) throws -> [UInt8] {
        let failure = V01.Failure(code: .quoteExpired, message: nil)
        return try V01.Message.error(envelope(job: job, message: message), failure).encoded()
    }

    static func manifest(
        maxPayloadBytes: UInt32? = nil,
        tasks: [V01.TaskTemplate]? = nil
    ) throws -> [UInt8] {
        let manifest = V01.Manifest(maxPayloadBytes: maxPayloadBytes, supportedTasks: tasks)
        return try V01.Message.manifest(manifest).encoded()
    }
}
