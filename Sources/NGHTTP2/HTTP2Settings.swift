/// What a session tells its peer at the start, and the bounds it keeps.
package struct HTTP2Settings: Equatable, Sendable {
    /// How many streams the peer may have open at once.
    package var maxConcurrentStreams: UInt32

    /// How many bytes of one stream may be under way before the reader gives credit.
    package var streamWindow: UInt32

    /// How many bytes of all streams together may be under way (at least 65,535).
    package var connectionWindow: UInt32

    /// The largest header list accepted, counted as ``HeaderField/listSize``.
    package var maxHeaderListSize: UInt32

    /// The largest frame accepted: 16,384 to 16,777,215 bytes.
    package var maxFrameSize: UInt32

    /// How many resets the peer may send at once before the session ends with a GOAWAY.
    package var resetBurst: UInt64

    /// How many resets a second the peer may send in the long run.
    package var resetsPerSecond: UInt64

    /// Takes each setting; the defaults suit gRPC.
    package init(
        maxConcurrentStreams: UInt32 = 1_024,
        streamWindow: UInt32 = 256 * 1_024,
        connectionWindow: UInt32 = 1_024 * 1_024,
        maxHeaderListSize: UInt32 = 64 * 1_024,
        maxFrameSize: UInt32 = 16_384,
        resetBurst: UInt64 = 2_000,
        resetsPerSecond: UInt64 = 200
    ) {
        self.maxConcurrentStreams = maxConcurrentStreams
        self.streamWindow = streamWindow
        self.connectionWindow = connectionWindow
        self.maxHeaderListSize = maxHeaderListSize
        self.maxFrameSize = maxFrameSize
        self.resetBurst = resetBurst
        self.resetsPerSecond = resetsPerSecond
    }
}
