import LCPWire
package import LightningTypes

/// How many result bytes fit one `lcp_result` to a peer (LCP v0.1 §5.4).
package enum ResultLimit {
    /// The content type of `llm.chat` results (LCP v0.1 §5.4).
    package static let chatContentType = "text/plain; charset=utf-8"

    /// The largest payload lnd sends: 65535 bytes less the message type.
    ///
    /// One byte more, and lnd drops the peer.
    package static let maximumPayloadBytes: UInt32 = 65533

    /// The most result bytes that fit.
    ///
    /// Measured with the codec, not computed beside it. The envelope's expiry counts with the
    /// length it has at `expiry`.
    ///
    /// - Parameters:
    ///   - maxPayloadBytes: What the peer announced; nil leaves only lnd's own limit.
    ///   - contentType: The result's media type; nil when none is sent.
    ///   - expiry: The envelope's expiry, or any later time.
    /// - Returns: The count; nil when not even an empty result fits.
    package static func maxResultBytes(
        maxPayloadBytes: UInt32?,
        contentType: String?,
        expiry: UnixTime
    ) -> Int? {
        let limit = Int(min(maxPayloadBytes ?? maximumPayloadBytes, maximumPayloadBytes))
        // The length before the result grows from one byte to three at 253 (BOLT #1, BigSize).
        guard let short = payloadBytes(resultBytes: 0, contentType, expiry),
            let long = payloadBytes(resultBytes: 253, contentType, expiry)
        else { return nil }
        if limit >= long { return 253 + limit - long }
        return limit >= short ? min(252, limit - short) : nil
    }

    /// Where to cut UTF-8 text so that no character is torn.
    ///
    /// - Parameters:
    ///   - text: The bytes; where they are not UTF-8 the cut is at most 3 bytes early.
    ///   - limit: The most bytes to keep.
    /// - Returns: How many bytes to keep, at most `limit`.
    package static func cut(_ text: [UInt8], at limit: Int) -> Int {
        guard text.count > limit else { return text.count }
        var end = limit
        // A character has at most three continuation bytes, 10xxxxxx.
        while end > 0, limit - end < 3, text[end] & 0xc0 == 0x80 { end -= 1 }
        return end
    }

    /// The size of a whole `lcp_result`; nil when the codec refuses to write it.
    private static func payloadBytes(
        resultBytes: Int,
        _ contentType: String?,
        _ expiry: UnixTime
    ) -> Int? {
        let envelope = V01.Envelope(
            jobID: JobID(.zero),
            messageID: MessageID(.zero),
            expiry: expiry
        )
        let result = V01.Result(
            result: [UInt8](repeating: 0, count: resultBytes),
            contentType: contentType
        )
        return try? V01.Message.result(envelope, result).encoded().count
    }
}
