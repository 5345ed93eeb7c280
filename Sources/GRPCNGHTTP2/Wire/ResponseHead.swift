package import GRPCCore
package import NGHTTP2

/// The header blocks of a response: initial metadata, trailers, or both in one.
package enum ResponseHead {
    // A longer message could pass the client's header limit and take the status with it.
    private static let messageLimit = 4_096

    /// The fields that open a response.
    static func initial(
        _ metadata: Metadata,
        sensitive: Set<String>
    ) throws(RPCError) -> [HeaderField] {
        var fields = opening
        try MetadataCoding.append(metadata, sensitive: sensitive, to: &fields)
        return fields
    }

    /// The fields that end a response.
    ///
    /// - Parameters:
    ///   - status: Its message is cut to 4 KiB.
    ///   - metadata: Left out when it can't be sent, so that the status always arrives.
    ///   - sensitive: Lower-case names that are never indexed.
    ///   - alone: True for an answer that consists of trailers only.
    /// - Returns: The last header block.
    package static func trailers(
        _ status: Status,
        _ metadata: Metadata,
        sensitive: Set<String>,
        alone: Bool
    ) -> [HeaderField] {
        var fields = alone ? opening : []
        fields.append(HeaderField("grpc-status", "\(status.code.rawValue)"))
        if !status.message.isEmpty {
            let message = PercentEncoding.encode(cut(status.message))
            fields.append(HeaderField("grpc-message", message))
        }
        var complete = fields
        do {
            try MetadataCoding.append(metadata, sensitive: sensitive, to: &complete)
            return complete
        } catch {
            return fields
        }
    }

    /// A header block of a response, read.
    package enum Block: Equatable {
        /// An interim answer (1xx), to be ignored.
        case informational
        /// The answer has begun.
        case initial(Metadata)
        /// The answer is over.
        case end(Status, Metadata)
    }

    /// Reads a header block that a server sent.
    ///
    /// - Parameters:
    ///   - fields: The block as it came.
    ///   - endStream: Whether nothing follows it.
    /// - Returns: What it means; any block means something.
    package static func read(_ fields: [HeaderField], endStream: Bool) -> Block {
        func value(_ name: String) -> String? { fields.first { $0.name == name }?.value }

        guard let httpStatus = value(":status").flatMap({ Int($0) }) else {
            return .end(trailingStatus(fields), MetadataCoding.decode(fields))
        }
        if (100..<200).contains(httpStatus) { return .informational }
        let metadata = MetadataCoding.decode(fields)
        // A status of gRPC's own counts, whatever HTTP says beside it.
        if endStream, value("grpc-status") != nil { return .end(trailingStatus(fields), metadata) }
        guard httpStatus == 200 else { return .end(Status(httpStatusCode: httpStatus), metadata) }
        guard ContentType.isGRPC(value("content-type")) else {
            return .end(
                Status(code: .unknown, message: "the server's answer is not gRPC"),
                metadata
            )
        }
        return endStream ? .end(missingStatus, metadata) : .initial(metadata)
    }

    /// The status when a response ends without one.
    static let missingStatus = Status(
        code: .unknown,
        message: "the server ended the call without a grpc-status"
    )

    private static let opening = [
        HeaderField(":status", "200"),
        HeaderField("content-type", "application/grpc"),
    ]

    private static func trailingStatus(_ fields: [HeaderField]) -> Status {
        guard let text = fields.first(where: { $0.name == "grpc-status" })?.value else {
            return missingStatus
        }
        let message = fields.first { $0.name == "grpc-message" }?.value ?? ""
        let code = Int(text).flatMap { Status.Code(rawValue: $0) } ?? .unknown
        return Status(code: code, message: PercentEncoding.decode(message))
    }

    private static func cut(_ message: String) -> Substring {
        guard message.utf8.count > messageLimit else { return message[...] }
        let end = message.utf8.index(message.startIndex, offsetBy: messageLimit)
        // Not inside a character: the nearest boundary before it.
        var boundary = end
        while boundary > message.startIndex, boundary.samePosition(in: message) == nil {
            boundary = message.utf8.index(before: boundary)
        }
        return message[..<boundary]
    }
}
