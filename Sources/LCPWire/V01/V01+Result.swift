extension V01 {
    /// `lcp_result`: what a paid job produced, in one message (LCP v0.1 §5.4).
    ///
    /// The envelope (§4.1) travels beside the body.
    package struct Result: Equatable, Sendable {
        /// The output; may be empty.
        package var result: [UInt8]
        /// Its media type; nil when the provider doesn't say.
        package var contentType: String?

        /// Makes a result.
        package init(result: [UInt8], contentType: String?) {
            self.result = result
            self.contentType = contentType
        }

        /// The table of `lcp_result`.
        package static let codec = MessageCodec<Result>(
            { Result(result: $0, contentType: $1) },
            // LCP v0.1 §5.4 [result-record]
            TLV.required(40, "result", \.result, .bytes),
            TLV.optional(41, "content_type", \.contentType, .utf8)
        )
    }
}
