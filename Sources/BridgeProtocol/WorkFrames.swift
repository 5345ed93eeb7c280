import SwiftProtobuf

// What goes over the sockets of the workers, as bytes, so that whoever speaks to them needs no
// protobuf library of its own.

extension BusWorkerEvent {
    /// Reads frame 1 of an event.
    ///
    /// - Parameter frame: The frame's bytes.
    /// - Throws: An error of SwiftProtobuf's when they are no WorkerEvent.
    package init(frame: [UInt8]) throws { self = try Self(serializedBytes: frame) }

    /// Frame 1 of an event.
    ///
    /// - Returns: The frame's bytes.
    /// - Throws: An error of SwiftProtobuf's when the message exceeds 2 GiB.
    package func frame() throws -> [UInt8] { try serializedBytes() }
}

extension BusWorkerReply {
    /// Reads the one frame of a reply.
    ///
    /// - Parameter frame: The frame's bytes.
    /// - Throws: An error of SwiftProtobuf's when they are no WorkerReply.
    package init(frame: [UInt8]) throws { self = try Self(serializedBytes: frame) }

    /// The one frame of a reply.
    ///
    /// - Returns: The frame's bytes.
    /// - Throws: An error of SwiftProtobuf's when the message exceeds 2 GiB.
    package func frame() throws -> [UInt8] { try serializedBytes() }
}
