import CZeroMQ

/// A few `zmq_msg_t` that libzmq fills, closed together with the last reference to any of them.
///
/// Together, because an allocation for each costs as much as libzmq's own work on a small message. The
/// header is their number; all are initialized from the start.
final class ReceivedBlock: ManagedBuffer<Int, zmq_msg_t> {
    static func make(_ count: Int) -> ReceivedBlock {
        let buffer = create(minimumCapacity: count) { _ in count }
        buffer.withUnsafeMutablePointerToElements { messages in
            for index in 0..<count { zmq_msg_init(messages + index) }
        }
        // `create` makes an instance of the class it is called on.
        return unsafeDowncast(buffer, to: ReceivedBlock.self)
    }

    /// One of them; it never moves.
    func message(_ index: Int) -> UnsafeMutablePointer<zmq_msg_t> {
        withUnsafeMutablePointerToElements { $0 + index }
    }

    deinit { for index in 0..<header { zmq_msg_close(message(index)) } }
}

/// A frame that libzmq filled: one place of a block.
struct ReceivedFrame {
    let block: ReceivedBlock
    private let index: UInt8
    private let size: Int32

    fileprivate init(_ block: ReceivedBlock, _ index: Int, _ size: Int32) {
        self.block = block
        self.index = UInt8(index)
        self.size = size
    }

    /// The size in bytes.
    var count: Int { Int(size) }

    private var message: UnsafeMutablePointer<zmq_msg_t> { block.message(Int(index)) }

    /// Whether further frames of the same message follow.
    var hasMore: Bool { zmq_msg_more(message) != 0 }

    /// A property of the connection the message came on, such as `User-Id`.
    func property(_ name: String) -> String? {
        zmq_msg_gets(message, name).map { String(cString: $0) }
    }

    var mutableBytes: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: zmq_msg_data(message), count: count)
    }

    func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // The caller's reference may end inside `body` as far as the optimizer knows.
        defer { extendLifetime(block) }
        return try body(UnsafeRawBufferPointer(mutableBytes))
    }
}

/// Where the next frames are received; lives on the sockets' thread.
///
/// A block takes eight frames and hardly more bytes than libzmq reads at once, and a large frame has a
/// block of its own, so that a small one which is kept holds no large one.
struct ReceivingSpace {
    private static let messages = 8
    private static let bytes = 8_192

    private var block = ReceivedBlock.make(Self.messages)
    private var taken = 0
    private var takenBytes = 0

    /// What libzmq fills next; empty.
    var next: UnsafeMutablePointer<zmq_msg_t> { block.message(taken) }

    /// Takes what libzmq has filled.
    ///
    /// - Parameter size: Its size in bytes, as `zmq_msg_recv` told it.
    /// - Returns: The frame.
    mutating func take(_ size: Int32) -> ReceivedFrame {
        guard size < Frame.noCopyThreshold else {
            let own = ReceivedBlock.make(1)
            zmq_msg_move(own.message(0), next)
            return ReceivedFrame(own, 0, size)
        }
        let frame = ReceivedFrame(block, taken, size)
        taken += 1
        takenBytes += Int(size)
        if taken == Self.messages || takenBytes >= Self.bytes { finish() }
        return frame
    }

    /// Leaves the block to the frames in it: other threads may have them now.
    mutating func finish() {
        guard taken > 0 else { return }
        block = .make(Self.messages)
        taken = 0
        takenBytes = 0
    }
}
