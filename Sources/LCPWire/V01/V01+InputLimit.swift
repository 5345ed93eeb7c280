import LightningTypes

extension V01.QuoteRequest {
    /// lnd drops a peer that is sent more, whatever the peer can receive.
    private static let largestPayload = 65_533

    /// The most bytes of input that a request for `llm.chat` has room for.
    ///
    /// - Parameters:
    ///   - payloadBytes: The largest message that the peer says it takes; nil when it does not say.
    ///   - params: The request's params.
    /// - Returns: The bytes; 0 when not even the rest fits.
    package static func inputLimit(payloadBytes: Int?, params: [UInt8]) -> Int {
        let payload = min(payloadBytes ?? largestPayload, largestPayload)
        return max(0, payload - overhead(params))
    }

    /// What a request has besides its input: everything is written once, with numbers at their
    /// largest.
    private static func overhead(_ params: [UInt8]) -> Int {
        let envelope = V01.Envelope(
            jobID: JobID(.zero),
            messageID: MessageID(.zero),
            expiry: UnixTime(seconds: .max)
        )
        let request = try? V01.QuoteRequest(taskKind: V01.llmChat, input: [], params: params)
        let parts = [
            try? V01.Envelope.codec.encode(envelope),
            request.flatMap { try? V01.QuoteRequest.codec.encode($0) },
        ]
        // The length of a long input takes two bytes more than that of an empty one.
        return parts.reduce(2) { $0 + ($1?.count ?? 0) }
    }
}
