import Testing

@testable import ZeroMQ

/// Which frames share a block, and so stay in memory together.
@Suite struct ReceivingSpaceTests {
    @Test func `eight small frames share a block`() {
        var space = ReceivingSpace()
        let frames = (0..<9).map { _ in space.take(10) }
        #expect(frames[..<8].allSatisfy { $0.block === frames[0].block })
        #expect(frames[8].block !== frames[0].block)
    }

    @Test func `a block takes hardly more bytes than libzmq reads at once`() {
        var space = ReceivingSpace()
        let frames = (0..<4).map { _ in space.take(4_000) }
        #expect(frames[2].block === frames[0].block)
        #expect(frames[3].block !== frames[0].block)
    }

    @Test func `a small frame that is kept holds no large one`() {
        var space = ReceivingSpace()
        let kept = space.take(10)
        weak var block: ReceivedBlock?
        do {
            let large = space.take(Int32(Frame.noCopyThreshold))
            block = large.block
            #expect(block != nil && large.block !== kept.block)
        }
        #expect(block == nil)
        // Nor has it cost the small ones their place.
        #expect(space.take(10).block === kept.block)
    }

    @Test func `what was given out is left alone by the next batch`() {
        var space = ReceivingSpace()
        let first = space.take(10)
        space.finish()
        #expect(space.take(10).block !== first.block)
    }
}
