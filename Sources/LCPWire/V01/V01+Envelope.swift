package import LightningTypes

extension V01 {
    /// The first records of every job message (LCP v0.1 §4.1).
    package struct Envelope: Equatable, Sendable {
        /// The sender's version; any value decodes, 0 is never written.
        package var protocolVersion: UInt16
        /// The job.
        package var jobID: JobID
        /// This sending of the message.
        package var messageID: MessageID
        /// After this the message must be ignored (Unix seconds).
        package var expiry: UnixTime

        /// Makes an envelope.
        package init(
            protocolVersion: UInt16 = V01.protocolVersion,
            jobID: JobID,
            messageID: MessageID,
            expiry: UnixTime
        ) {
            self.protocolVersion = protocolVersion
            self.jobID = jobID
            self.messageID = messageID
            self.expiry = expiry
        }

        /// The table of the envelope.
        package static let codec = MessageCodec<Envelope>(
            { Envelope(protocolVersion: $0, jobID: $1, messageID: $2, expiry: $3) },
            // LCP v0.1 §4.1 [version-required] [job-id-required] [msg-id-required]
            // LCP v0.1 §4.1 [expiry-required]
            TLV.required(1, "protocol_version", \.protocolVersion, .version),
            TLV.required(2, "job_id", \.jobID, .bytes32()),
            TLV.required(3, "msg_id", \.messageID, .bytes32()),
            TLV.required(4, "expiry", \.expiry, .unixTime)
        )
    }
}
