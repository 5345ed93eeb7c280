import Foundation
import Journal
import LightningTypes

/// A process that has a journal, for tests that look at it from outside.
///
/// `journal-writer PATH hold` writes twenty jobs, one with a payment under way, says so, and keeps
/// the journal open until its input ends. `journal-writer PATH fill BALLAST` writes until the volume
/// is full, removes the ballast, goes on, and says what it saw in one line of JSON.
@main
enum JournalWriter {
    static func main() async throws {
        let arguments = CommandLine.arguments
        switch arguments.dropFirst(2).first {
        case "hold" where arguments.count == 3: try await hold(arguments[1])
        case "fill" where arguments.count == 4: try await fill(arguments[1], arguments[3])
        default: print("usage: journal-writer PATH hold | fill BALLAST")
        }
    }

    private static func hold(_ path: String) async throws {
        let journal = try Journal(path: path, options: .init(network: "regtest"))
        for number in 1..<20 { try await journal.commit(job(number, size: 100)) }
        var paying = job(20, size: 100)
        paying.facts = [
            .paymentIntended(
                PaymentIntent(
                    hash: PaymentHash(id(20)),
                    amount: MilliSatoshi(msat: 1_000),
                    maxFee: MilliSatoshi(msat: 10),
                    notAfter: UnixTime(seconds: 10_000),
                    profile: "gpt-5.2",
                    instruction: Redacted(Array("lnbcrt1canary".utf8))
                ),
                check: { _ throws(JournalError) in nil }
            )
        ]
        try await journal.commit(paying)
        // Not `print`: the line would wait in the buffer of a pipe.
        try FileHandle.standardOutput.write(contentsOf: Data("ready\n".utf8))
        while readLine() != nil {}
        try await journal.close()
    }

    private static func fill(_ path: String, _ ballast: String) async throws {
        var kept: [JobKey] = []
        var refusals: [String] = []
        let journal = try Journal(path: path, options: .init(network: "regtest"))
        while refusals.count < 5 {
            let step = job(kept.count + refusals.count, size: 50_000)
            do throws(JournalError) {
                try await journal.commit(step)
                kept.append(step.job)
            } catch {
                refusals.append(error.code.rawValue)
            }
        }
        try FileManager.default.removeItem(atPath: ballast)
        let late = job(10_000, size: 50_000)
        try await journal.commit(late)
        try await journal.close()

        let again = try Journal(path: path, options: .init(network: "regtest"))
        var intact = 0
        for key in kept + [late.job] where try await again.input(of: key) == content(50_000) {
            intact += 1
        }
        let report: [String: Any] = [
            "kept": kept.count, "refusals": refusals, "intact": intact,
            "open": try await again.jobCounts().open, "findings": try await again.check(),
        ]
        try await again.close()
        print(String(decoding: try JSONSerialization.data(withJSONObject: report), as: UTF8.self))
    }

    private static func job(_ number: Int, size: Int) -> Step {
        Step(
            job: JobKey(role: .requester, peer: peer, id: id(number)),
            version: 0,
            at: UnixTime(seconds: UInt64(100 + number)),
            state: [1],
            input: .store(content(size))
        )
    }

    /// Text that must appear nowhere but in the journal.
    private static func content(_ size: Int) -> Redacted<[UInt8]> {
        Redacted((0..<size).map { Array("canary prompt ".utf8)[$0 % 14] })
    }

    private static func id(_ number: Int) -> Bytes32 {
        let low = withUnsafeBytes(of: UInt64(number).bigEndian) { Array($0) }
        guard let id = Bytes32([UInt8](repeating: 7, count: 24) + low) else {
            preconditionFailure("32 bytes")
        }
        return id
    }

    private static var peer: NodeID {
        guard let peer = NodeID([2] + id(1).bytes) else { preconditionFailure("33 bytes") }
        return peer
    }
}
