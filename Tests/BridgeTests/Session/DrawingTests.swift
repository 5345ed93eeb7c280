import LightningTypes
import Testing

@testable import Bridge

@Suite struct DrawingTests {
    // LCP v0.1 §2 [first-job-id-unpredictable]
    @Test func `the bridge draws 32 bytes of which every bit changes`() {
        var (ones, zeros) = ([UInt8](repeating: 0, count: 32), [UInt8](repeating: 0, count: 32))
        // That some bit stays the same in 100 draws has a chance of 2^-91.
        for _ in 0..<100 {
            for (index, byte) in Bytes32.random().bytes.enumerated() {
                ones[index] |= byte
                zeros[index] |= ~byte
            }
        }
        #expect(ones.allSatisfy { $0 == 0xff } && zeros.allSatisfy { $0 == 0xff })
    }
}
