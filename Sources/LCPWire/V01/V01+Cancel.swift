extension V01 {
    /// `lcp_cancel`: a request to stop working on a job (LCP v0.1 §5.5).
    ///
    /// The envelope (§4.1) travels beside the body.
    package struct Cancel: Equatable, Sendable {
        /// Why, for people; nil when the sender doesn't say.
        package var reason: String?

        /// Makes a cancel.
        package init(reason: String?) { self.reason = reason }

        /// The table of `lcp_cancel`.
        package static let codec = MessageCodec<Cancel>(
            { Cancel(reason: $0) },
            // LCP v0.1 §5.5 [cancel-records]
            TLV.optional(70, "reason", \.reason, .utf8)
        )
    }
}
