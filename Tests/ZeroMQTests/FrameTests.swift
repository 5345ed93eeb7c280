import Testing
import ZeroMQ

@Suite struct FrameTests {
    @Test func `a frame written in place has the bytes written`() {
        let frame = Frame(byteCount: 4) { $0[2] = 7 }
        #expect(frame.bytes == [0, 0, 7, 0])
        #expect(frame.count == 4)
        #expect(frame == Frame([0, 0, 7, 0]))
        #expect(frame != Frame([0, 0, 7, 1]))
    }

    @Test func `a frame lends its bytes without a copy`() {
        let frame = Frame(byteCount: 3) { $0.copyBytes(from: [1, 2, 3]) }
        #expect(frame.withBytes { $0.unsafeLoad(fromByteOffset: 1, as: UInt8.self) } == 2)
        let first = frame.withUnsafeBytes { $0.baseAddress }
        #expect(frame.withUnsafeBytes { $0.baseAddress } == first)
    }

    @Test func `a frame's description has its size and not its bytes`() {
        let frame = Frame("a prompt")
        var dumped = ""
        dump(Message(frame, frame), to: &dumped)
        #expect("\(frame)" == "(8 bytes)")
        #expect(!dumped.contains("prompt"))
        #expect(!dumped.contains("97"))
    }

    @Test func `a frame that is not UTF-8 has no text`() {
        #expect(Frame([0xff]).text == nil)
        #expect(Frame("ä").text == "ä")
    }

    @Test func `a message counts its frames and bytes`() {
        let message = Message(Frame("ab"), Frame("c"))
        #expect(message.frameCount == 2)
        #expect(message.byteCount == 3)
        #expect(message.frame(1)?.text == "c")
        #expect(message.frame(2) == nil)
        #expect(message.frame(-1) == nil)
    }
}
