/// The number of a stream: odd for those the client opened.
package typealias StreamID = Int32

/// What a session learnt from the bytes it was given, or did while it made bytes to send.
package enum HTTP2Event: Equatable, Sendable {
    /// A header block: a request, a response, or trailers (no pseudo-header fields).
    ///
    /// With `endStream` nothing follows on this stream but ``remoteEnd(stream:)``.
    case headers(stream: StreamID, fields: [HeaderField], endStream: Bool)

    /// Bytes of the stream, in order. The reader owes ``HTTP2Session/credit(_:bytes:)`` for them.
    case data(stream: StreamID, bytes: [UInt8])

    /// The peer sends nothing more on this stream.
    case remoteEnd(stream: StreamID)

    /// The stream is gone, for whichever reason; nothing follows.
    case closed(stream: StreamID, code: HTTP2ErrorCode)

    /// The peer's header block passed our limit; the stream is being reset.
    case headersTooLarge(stream: StreamID)

    /// So many bytes of the stream's body were framed, and no longer count as queued.
    case bodySent(stream: StreamID, bytes: Int)

    /// The peer's settings arrived or changed.
    case settings(HTTP2PeerSettings)

    /// The peer asked whether we live; the session answers by itself.
    case ping

    /// The peer answered our ping with these eight bytes.
    case pingAcknowledged(UInt64)

    /// The peer wants no new streams; those above `lastStream` were not processed.
    case goAway(lastStream: StreamID, code: HTTP2ErrorCode, debug: String)

    /// The session gave up because of what the peer sent; `reason` is nghttp2's.
    case failed(code: HTTP2ErrorCode, reason: String)
}

/// The settings of the peer that a sender must respect.
package struct HTTP2PeerSettings: Equatable, Sendable {
    /// How many streams we may have open at once.
    package var maxConcurrentStreams: UInt32

    /// How large a header list the peer accepts, counted as ``HeaderField/listSize``.
    package var maxHeaderListSize: UInt32

    /// Takes both.
    package init(maxConcurrentStreams: UInt32, maxHeaderListSize: UInt32) {
        self.maxConcurrentStreams = maxConcurrentStreams
        self.maxHeaderListSize = maxHeaderListSize
    }
}
