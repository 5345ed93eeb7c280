/// Frame 0 of what the bridge sends to a worker, and what the worker subscribes to.
///
/// `work/` and the worker's id as 32 lower-case hex digits. A delivered frame 0 *begins with* it: the
/// bridge appends what tells two connections of one topic apart.
package struct WorkTopic: Hashable, Sendable {
    /// The id the worker drew at its start, 16 bytes.
    package let worker: WorkerID

    /// The topic of a worker.
    package init(_ worker: WorkerID) { self.worker = worker }

    /// Reads a subscription.
    ///
    /// nil for a prefix, an empty subscription, and anything else.
    ///
    /// - Parameter subscription: The bytes of the subscription, which must be a whole topic.
    package init?(subscription: [UInt8]) {
        guard subscription.count == Self.prefix.count + 32,
            subscription.starts(with: Self.prefix),
            let worker = WorkerID(hex: subscription[Self.prefix.count...])
        else { return nil }
        self.worker = worker
    }

    /// The topic as bytes, 37 of them.
    package var bytes: [UInt8] { Self.prefix + Array(worker.description.utf8) }

    private static let prefix = Array("work/".utf8)
}

/// Names one process of a worker, from its start to its end: 16 random bytes.
package struct WorkerID: Hashable, Sendable {
    /// The 16 bytes.
    package let bytes: [UInt8]

    /// Takes exactly 16 bytes.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Draws a new id.
    package static func random() -> WorkerID {
        var generator = SystemRandomNumberGenerator()
        return WorkerID(
            unchecked: (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
        )
    }

    init?(hex: ArraySlice<UInt8>) {
        func digit(_ byte: UInt8) -> UInt8? {
            switch byte {
            case 0x30...0x39: byte - 0x30
            case 0x61...0x66: byte - 0x61 + 10
            default: nil
            }
        }
        var bytes: [UInt8] = []
        var rest = hex
        while let high = rest.popFirst(), let low = rest.popFirst() {
            guard let high = digit(high), let low = digit(low) else { return nil }
            bytes.append(high << 4 | low)
        }
        self.init(bytes)
    }

    private init(unchecked bytes: [UInt8]) { self.bytes = bytes }
}

extension WorkerID: CustomStringConvertible {
    /// 32 lower-case hex digits.
    package var description: String {
        let digits = Array("0123456789abcdef".utf8)
        let text = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }
}
