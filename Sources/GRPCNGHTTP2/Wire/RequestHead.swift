package import GRPCCore
package import NGHTTP2

/// What opens a call: the header block of a request.
package struct RequestHead {
    /// What is called.
    package var method: MethodDescriptor
    /// The application's metadata, without the transport's own fields.
    package var metadata: Metadata
    /// How long the caller waits; nil for ever.
    package var timeout: Duration?

    /// Where a client sends its requests.
    package struct Destination: Sendable {
        var scheme: String
        var authority: String
        var userAgent: String

        /// Takes the values of three header fields.
        package init(scheme: String, authority: String, userAgent: String) {
            self.scheme = scheme
            self.authority = authority
            self.userAgent = userAgent
        }
    }

    /// The fields of a request.
    ///
    /// - Parameters:
    ///   - destination: Where it goes.
    ///   - sensitive: Lower-case names that are never indexed.
    /// - Returns: The header block, pseudo-header fields first.
    /// - Throws: `invalidArgument` for metadata that can't be sent.
    package func fields(
        to destination: Destination,
        sensitive: Set<String>
    ) throws(RPCError) -> [HeaderField] {
        var fields = [
            HeaderField(":method", "POST"),
            HeaderField(":scheme", destination.scheme),
            HeaderField(
                ":path",
                "/\(method.service.fullyQualifiedService)/\(method.method)"
            ),
            HeaderField(":authority", destination.authority),
            HeaderField("te", "trailers"),
            HeaderField("content-type", "application/grpc"),
            HeaderField("user-agent", destination.userAgent),
        ]
        if let timeout { fields.append(HeaderField("grpc-timeout", GRPCTimeout.encode(timeout))) }
        try MetadataCoding.append(metadata, sensitive: sensitive, to: &fields)
        return fields
    }

    /// Why a request is answered without asking a handler.
    package enum Refusal: Error, Equatable {
        /// Not gRPC: a bare HTTP status.
        case http(Int)
        /// gRPC, but not answerable.
        case status(Status)
    }

    /// Reads a request.
    ///
    /// - Parameter fields: A header block as it came.
    /// - Throws: ``Refusal`` when it is to be answered at once.
    package init(_ fields: [HeaderField]) throws(Refusal) {
        func value(_ name: String) -> String? { fields.first { $0.name == name }?.value }

        guard value(":method") == "POST" else { throw .http(405) }
        guard ContentType.isGRPC(value("content-type")) else { throw .http(415) }
        let path = value(":path") ?? ""
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].isEmpty, !parts[1].isEmpty, !parts[2].isEmpty else {
            throw .status(Status(code: .unimplemented, message: "malformed method name"))
        }
        if let encoding = value("grpc-encoding"), encoding != "identity" {
            throw .status(
                Status(
                    code: .unimplemented,
                    message: "grpc-encoding is not supported; only identity is"
                )
            )
        }
        if let text = value("grpc-timeout") {
            guard let timeout = GRPCTimeout.decode(text) else {
                throw .status(Status(code: .internalError, message: "malformed grpc-timeout"))
            }
            self.timeout = timeout
        }
        method = MethodDescriptor(
            fullyQualifiedService: String(parts[1]),
            method: String(parts[2])
        )
        metadata = MetadataCoding.decode(fields)
    }

    /// A request to send; `grpc-timeout` in the metadata is taken over.
    init(method: MethodDescriptor, metadata: Metadata, timeout: Duration?) {
        self.method = method
        self.metadata = metadata
        let stated = metadata[stringValues: "grpc-timeout"].first { _ in true }
        self.timeout = stated.flatMap { GRPCTimeout.decode($0) } ?? timeout
    }
}

enum ContentType {
    /// Whether a content type is gRPC: `application/grpc`, alone or with `+format` or parameters.
    static func isGRPC(_ value: String?) -> Bool {
        guard let value = value?.lowercased(), value.hasPrefix("application/grpc") else {
            return false
        }
        let rest = value.dropFirst("application/grpc".count)
        return rest.isEmpty || rest.first == "+" || rest.first == ";"
    }
}
