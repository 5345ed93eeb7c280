import BridgeProtocol
import struct Foundation.Data
import SwiftProtobuf
import ZeroMQ

/// The one frame of a reply.
enum ReplyFrame {
    /// Encodes a reply; one that the bridge would drop for its size becomes a failure of its item.
    ///
    /// - Parameters:
    ///   - reply: What to send.
    ///   - maximumBytes: What the bridge takes.
    /// - Returns: The frame; nil when there is nothing to say within the limit.
    static func encode(_ reply: BusWorkerReply, maximumBytes: Int) -> Frame? {
        // Throws for messages of 2 GiB only, which no limit admits.
        let bytes: [UInt8]? = try? reply.serializedBytes()
        if let bytes, bytes.count <= maximumBytes { return Frame(bytes) }
        guard let lease = reply.lease else { return nil }
        var failed = reply
        failed.body = .failed(
            .with {
                $0.lease = lease
                $0.failure = tooLarge(bytes?.count ?? .max, maximumBytes).message
            }
        )
        let replacement: [UInt8]? = try? failed.serializedBytes()
        return replacement.map { Frame($0) }
    }

    private static func tooLarge(_ count: Int, _ limit: Int) -> WorkFailure {
        WorkFailure(
            "reply-too-large",
            "a reply has \(count) bytes, the bridge takes at most \(limit)",
            advice: "Report this with the version of the worker.",
            isRetryable: false
        )
    }
}

extension BusWorkerReply {
    /// The lease of the item that the reply ends.
    fileprivate var lease: Data? {
        switch body {
        case .job(let reply): reply.lease
        case .compute(let reply): reply.lease
        case .hello, .progress, .failed, .goodbye, nil: nil
        }
    }
}
