import Foundation
import Journal
import LightningTypes

/// Puts jobs of the past into a journal that no bridge uses.
struct JournalFiller {
    let path: String

    func fill(finished count: Int) async throws {
        let journal = try Journal(
            path: path,
            options: .init(network: "regtest", durability: .normal)
        )
        let now = UnixTime(seconds: UInt64(Date().timeIntervalSince1970))
        guard let peer = NodeID([2] + [UInt8](repeating: 9, count: 32)) else { return }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<count {
                if number >= 512 { try await group.next() }
                group.addTask {
                    let bytes = (0..<4).flatMap { part in
                        withUnsafeBytes(of: UInt64(number * 4 + part).bigEndian) { Array($0) }
                    }
                    let step = Step(
                        job: JobKey(role: .provider, peer: peer, id: Bytes32(bytes) ?? .zero),
                        version: 0,
                        at: now,
                        state: [UInt8](repeating: 7, count: 300),
                        facts: [.finished]
                    )
                    try await journal.commit(step)
                }
            }
            try await group.waitForAll()
        }
        try await journal.close()
    }
}
