import LCPWire
import LightningTypes
import Testing

@testable import WorkerKit

@Suite struct IdentifierTests {
    // LCP v0.1 §2 [job-id-unpredictable]
    // LCP v0.1 §4.1 [msg-id-unique]
    @Test func `drawn identifiers use every bit and never come back`() {
        let source = IdentifierSource.system
        var seen: Set<JobID> = []
        var (ones, zeros) = ([UInt8](repeating: 0, count: 32), [UInt8](repeating: 0, count: 32))
        // That some bit stays the same in 100 draws has a chance of 2^-91.
        for _ in 0..<100 {
            let id: JobID = source.next()
            seen.insert(id)
            for (index, byte) in id.bytes.bytes.enumerated() {
                ones[index] |= byte
                zeros[index] |= ~byte
            }
        }
        #expect(seen.count == 100)
        #expect(ones.allSatisfy { $0 == 0xff } && zeros.allSatisfy { $0 == 0xff })
        let message: MessageID = source.next()
        #expect(!seen.contains(JobID(message.bytes)))
    }
}
