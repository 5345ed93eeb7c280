import Foundation
import Journal
import LCPTesting
import LightningTypes
import Testing

/// A folder of a test's own, gone with the test.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory
            .appending(path: "journal-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path(percentEncoded: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var journalPath: String { path + "/journal" }

    func open() throws -> Journal {
        try Journal(path: journalPath, options: Journal.Options(network: "regtest"))
    }
}

/// Values for tests; the same number gives the same value.
enum Sample {
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

    static func hash(_ number: Int) -> PaymentHash { PaymentHash(bytes32(1_000_000 + number)) }

    static func job(_ number: Int, role: JobKey.Role = .requester, peer: Int = 1) -> JobKey {
        JobKey(role: role, peer: Self.peer(peer), id: bytes32(number))
    }

    static func time(_ seconds: UInt64) -> UnixTime { UnixTime(seconds: seconds) }

    static func effect(_ id: UInt64, kind: UInt8 = 1) -> Effect {
        Effect(id: id, kind: kind, body: Array("effect \(id)".utf8))
    }

    static func intent(
        _ number: Int,
        amount: UInt64 = 1000,
        maxFee: UInt64 = 10
    ) -> PaymentIntent {
        PaymentIntent(
            hash: hash(number),
            amount: MilliSatoshi(msat: amount),
            maxFee: MilliSatoshi(msat: maxFee),
            notAfter: time(10_000),
            profile: "gpt-5.2",
            instruction: Redacted(Array("lnbcrt1invoice".utf8))
        )
    }

    static func invoice(_ number: Int, amount: UInt64 = 1000) -> InvoiceTerms {
        InvoiceTerms(
            hash: hash(number),
            amount: MilliSatoshi(msat: amount),
            expiresAt: time(10_000),
            profile: "gpt-5.2"
        )
    }

    static func preimage(_ number: Int) -> Preimage { Preimage(bytes32(2_000_000 + number)) }

    static let noLimit: PaymentCheck = { _ throws(JournalError) in nil }
}

/// Runs a call that must fail and gives the code it failed with.
func code<Value>(
    _ call: () async throws -> Value,
    sourceLocation: SourceLocation = #_sourceLocation
) async -> JournalError.Code? {
    let error = await #expect(throws: JournalError.self, sourceLocation: sourceLocation) {
        _ = try await call()
    }
    return error?.code
}

extension Journal {
    /// A new job with nothing but a state.
    @discardableResult
    func add(_ job: JobKey, effects: [Effect] = [], facts: [Fact] = []) async throws -> Committed {
        try await commit(
            Step(
                job: job,
                version: 0,
                at: Sample.time(100),
                state: [1],
                effects: effects,
                facts: facts
            )
        )
    }
}
