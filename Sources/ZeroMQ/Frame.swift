import CZeroMQ

/// One frame of a message: bytes that are not copied again where libzmq allows it.
///
/// A received frame keeps libzmq's own buffer alive and frees it with its last reference. libzmq
/// reads small messages in blocks of 8 KiB, and we close a few of them together, so a frame that is
/// kept for long should be copied out with ``bytes``: a frame of ten bytes may hold eight such blocks.
package struct Frame: Sendable {
    private enum Storage: @unchecked Sendable {
        // Sendable: a block is filled by one owner before another thread gets a frame of it, and
        // only read afterwards; libzmq counts the references to a message's contents atomically.
        case array([UInt8])
        case owned(OwnedBlock)
        case received(ReceivedFrame)
    }

    private let storage: Storage

    /// From this size on, handing a buffer to libzmq is cheaper than copying it.
    ///
    /// Measured in C with warm caches: a copied message of 4 KiB costs 40 ns more than a lent one, of
    /// 64 KiB 530 ns more. Counting our reference costs about the first of these.
    static let noCopyThreshold = 4_096

    /// Takes an array, which is copied once when the frame is sent.
    package init(_ bytes: [UInt8]) { storage = .array(bytes) }

    /// Takes a text as UTF-8.
    package init(_ text: String) { self.init(Array(text.utf8)) }

    /// Makes a frame whose bytes are written in place and, when large, sent without a copy.
    ///
    /// - Parameters:
    ///   - byteCount: The exact size in bytes.
    ///   - write: Fills the buffer, which starts as zeros.
    /// - Throws: What `write` throws.
    package init<Failure: Error>(
        byteCount: Int,
        write: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        let block = OwnedBlock.make(byteCount)
        try write(block.mutableBytes)
        storage = .owned(block)
    }

    init(_ received: ReceivedFrame) { storage = .received(received) }

    init(owned block: OwnedBlock) { storage = .owned(block) }

    /// The size in bytes.
    package var count: Int {
        switch storage {
        case .array(let bytes): bytes.count
        case .owned(let block): block.header
        case .received(let frame): frame.count
        }
    }

    /// A copy of the bytes.
    package var bytes: [UInt8] {
        if case .array(let bytes) = storage { return bytes }
        return withUnsafeBytes { Array($0) }
    }

    /// The bytes as text; nil when they are not valid UTF-8.
    package var text: String? { String(validating: bytes, as: UTF8.self) }

    /// Lends the bytes without a copy.
    ///
    /// - Parameter body: Reads the span, which can't outlive the call.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    package func withBytes<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withUnsafeBytes { (buffer) throws(Failure) -> Result in try body(buffer.bytes) }
    }

    /// Lends the bytes without a copy, as a pointer for C and for parsers that want one.
    ///
    /// - Parameter body: Reads the buffer, which is valid only during the call.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    package func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        switch storage {
        case .array(let bytes):
            // The standard library's method has no typed throws.
            try bytes.span.withUnsafeBytes(body)
        case .owned(let block): try block.withBytes(body)
        case .received(let frame): try frame.withBytes(body)
        }
    }

    /// Makes the libzmq message that carries this frame.
    ///
    /// - Parameters:
    ///   - message: Uninitialized memory; initialized afterwards unless it throws.
    ///   - noCopyThreshold: From how many bytes on the buffer itself is handed over.
    /// - Throws: ``ZeroMQError`` `exhausted`.
    func initialize(
        _ message: UnsafeMutablePointer<zmq_msg_t>,
        noCopyThreshold: Int = Frame.noCopyThreshold
    ) throws(ZeroMQError) {
        switch storage {
        case .owned(let block) where block.header >= noCopyThreshold:
            try Self.lend(block.mutableBytes, of: block, to: message)
        case .received(let frame) where frame.count >= noCopyThreshold:
            try Self.lend(frame.mutableBytes, of: frame.block, to: message)
        case .array, .owned, .received:
            let size = count
            guard zmq_msg_init_size(message, size) == 0 else {
                throw ZeroMQError(during: "a message of \(size) bytes")
            }
            withUnsafeBytes { bytes in
                UnsafeMutableRawBufferPointer(start: zmq_msg_data(message), count: size)
                    .copyMemory(from: bytes)
            }
        }
    }

    /// Hands a block's bytes to libzmq, which releases the block when it has sent them.
    private static func lend(
        _ bytes: UnsafeMutableRawBufferPointer,
        of block: AnyObject,
        to message: UnsafeMutablePointer<zmq_msg_t>
    ) throws(ZeroMQError) {
        // One reference belongs to libzmq, which gives it back exactly once, from any thread,
        // through the function below. A block's bytes never change or move after its making.
        let reference = Unmanaged.passRetained(block)
        let done = zmq_msg_init_data(
            message,
            bytes.baseAddress,
            bytes.count,
            { _, hint in
                if let hint { Unmanaged<AnyObject>.fromOpaque(hint).release() }
            },
            reference.toOpaque()
        )
        guard done == 0 else {
            reference.release()
            throw ZeroMQError(during: "a message of \(bytes.count) bytes")
        }
    }
}

extension Frame: Equatable {
    /// Compares the bytes.
    package static func == (left: Frame, right: Frame) -> Bool {
        left.withUnsafeBytes { left in
            right.withUnsafeBytes { right in left.elementsEqual(right) }
        }
    }
}

extension Frame: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The size only: frames carry prompts and outputs.
    package var description: String { "(\(count) bytes)" }

    /// The size only.
    package var debugDescription: String { description }

    /// Shows no child.
    package var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}

/// Bytes written by us: tail-allocated, so that they have one address for life.
///
/// The header is the size.
final class OwnedBlock: ManagedBuffer<Int, UInt8> {
    static func make(_ byteCount: Int) -> OwnedBlock {
        let buffer = create(minimumCapacity: byteCount) { _ in byteCount }
        buffer.withUnsafeMutablePointerToElements { $0.initialize(repeating: 0, count: byteCount) }
        // `create` makes an instance of the class it is called on.
        return unsafeDowncast(buffer, to: OwnedBlock.self)
    }

    var mutableBytes: UnsafeMutableRawBufferPointer {
        // A managed buffer's elements stay where they are until its deinit.
        withUnsafeMutablePointerToElements {
            UnsafeMutableRawBufferPointer(start: $0, count: header)
        }
    }

    func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // The caller's reference may end inside `body` as far as the optimizer knows.
        defer { extendLifetime(self) }
        return try body(UnsafeRawBufferPointer(mutableBytes))
    }
}
