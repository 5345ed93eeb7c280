import BridgeProtocol
import LCPWire
import LightningTypes

/// How long a prompt may be for a peer to take it.
enum PromptLimit {
    /// lnd drops a peer that is sent more, whatever the peer can receive.
    private static let largestPayload = 65_533

    /// The most bytes of input that a quote request to a peer has room for.
    ///
    /// - Parameters:
    ///   - peer: The peer, whose manifest may say what it can receive.
    ///   - params: The request's params.
    /// - Returns: The bytes; 0 when not even the rest fits.
    static func bytes(for peer: BusPeer, params: [UInt8]) -> Int {
        let payload =
            peer.maxPayloadBytes == 0
            ? largestPayload : min(Int(peer.maxPayloadBytes), largestPayload)
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
