/// A message: one or more frames that arrive together or not at all.
package struct Message: Sendable, Equatable {
    /// The first frame: a topic on SUB and PUB, the peer's routing ID on ROUTER.
    package var head: Frame
    /// The other frames, apart from the first so that a message of one frame needs no array.
    package var tail: [Frame]
    /// Whose key the connection it came on was authenticated with; nil without CURVE.
    package var sender: CurvePublicKey?

    /// Makes a message from its frames.
    package init(_ head: Frame, _ tail: Frame...) {
        self.init(head: head, tail: tail)
    }

    /// Makes a message from its first frame, the others and whose key it came with.
    package init(head: Frame, tail: [Frame], sender: CurvePublicKey? = nil) {
        self.head = head
        self.tail = tail
        self.sender = sender
    }

    /// How many frames it has.
    package var frameCount: Int { 1 + tail.count }

    /// All frames in order.
    package var frames: [Frame] { [head] + tail }

    /// The bytes of all frames together.
    package var byteCount: Int { tail.reduce(head.count) { $0 + $1.count } }

    /// The frame at a position, counted from 0; nil past the end.
    package func frame(_ index: Int) -> Frame? {
        if index == 0 { return head }
        return index > 0 && index <= tail.count ? tail[index - 1] : nil
    }
}
