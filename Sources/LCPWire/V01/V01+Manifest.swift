extension V01 {
    /// `lcp_manifest`: what a peer can receive and which tasks it sells (LCP v0.1 §5.1).
    ///
    /// Connection scope: it has no envelope.
    package struct Manifest: Equatable, Sendable {
        /// The sender's version; any value decodes, 0 is never written.
        package var protocolVersion: UInt16
        /// The largest payload the sender can receive, in bytes without the 2 type bytes; nil
        /// when it doesn't say.
        package var maxPayloadBytes: UInt32?
        /// The tasks the sender accepts, at most 1024; nil when it doesn't say.
        package var supportedTasks: [TaskTemplate]?

        /// Makes a manifest.
        package init(
            protocolVersion: UInt16 = V01.protocolVersion,
            maxPayloadBytes: UInt32? = nil,
            supportedTasks: [TaskTemplate]? = nil
        ) {
            self.protocolVersion = protocolVersion
            self.maxPayloadBytes = maxPayloadBytes
            self.supportedTasks = supportedTasks
        }

        /// The table of `lcp_manifest`.
        package static let codec = MessageCodec<Manifest>(
            { Manifest(protocolVersion: $0, maxPayloadBytes: $4, supportedTasks: $5) },
            TLV.required(1, "protocol_version", \.protocolVersion, .version),
            // LCP v0.1 §4.1 [manifest-is-connection-scope]
            TLV.forbidden(2, "job_id"),
            TLV.forbidden(3, "msg_id"),
            TLV.forbidden(4, "expiry"),
            TLV.optional(11, "max_payload_bytes", \.maxPayloadBytes, .tu32),
            TLV.optional(12, "supported_tasks", \.supportedTasks, .list(of: TaskTemplate.codec))
        )
    }
}
