import CNGHTTP2

extension HTTP2Session {
    /// Asks the peer whether it lives; the answer is ``HTTP2Event/pingAcknowledged(_:)``.
    ///
    /// - Parameter opaque: Comes back unchanged.
    /// - Throws: ``HTTP2Error`` when memory runs out.
    package func ping(_ opaque: UInt64) throws(HTTP2Error) {
        let status = withUnsafeBytes(of: opaque.bigEndian) { bytes in
            nghttp2_submit_ping(
                pointer,
                UInt8(NGHTTP2_FLAG_NONE.rawValue),
                bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            )
        }
        try check(status)
    }

    /// Tells a client that the server will stop soon, without naming a last stream yet.
    ///
    /// - Throws: ``HTTP2Error`` when memory runs out or the role is client.
    package func noticeShutdown() throws(HTTP2Error) {
        try check(nghttp2_submit_shutdown_notice(pointer))
    }

    /// Refuses streams that the peer opens from now on; those open run to their end.
    ///
    /// - Parameters:
    ///   - code: Why.
    ///   - debug: Words for the peer's operator.
    /// - Throws: ``HTTP2Error`` when memory runs out.
    package func goAway(
        _ code: HTTP2ErrorCode = .noError,
        debug: String = ""
    ) throws(HTTP2Error) {
        isTerminatedByUs = true
        let last = nghttp2_session_get_last_proc_stream_id(pointer)
        let words = Array(debug.utf8)
        try check(
            nghttp2_submit_goaway(
                pointer,
                UInt8(NGHTTP2_FLAG_NONE.rawValue),
                last,
                code.rawValue,
                words,
                words.count
            )
        )
    }

    /// Ends the session: a GOAWAY goes out, then ``isFinished`` becomes true.
    ///
    /// - Parameter code: Why.
    /// - Throws: ``HTTP2Error`` when memory runs out.
    package func terminate(_ code: HTTP2ErrorCode) throws(HTTP2Error) {
        isTerminatedByUs = true
        try check(nghttp2_session_terminate_session(pointer, code.rawValue))
    }

    func announce(_ settings: HTTP2Settings) throws(HTTP2Error) {
        var entries = [
            entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, settings.maxConcurrentStreams),
            entry(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings.streamWindow),
            entry(NGHTTP2_SETTINGS_MAX_FRAME_SIZE, settings.maxFrameSize),
            entry(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, settings.maxHeaderListSize),
        ]
        if role == .client { entries.append(entry(NGHTTP2_SETTINGS_ENABLE_PUSH, 0)) }
        let none = UInt8(NGHTTP2_FLAG_NONE.rawValue)
        try check(nghttp2_submit_settings(pointer, none, entries, entries.count))
        let window = Int32(clamping: max(65_535, settings.connectionWindow))
        try check(nghttp2_session_set_local_window_size(pointer, none, 0, window))
    }

    func peerSettings() -> HTTP2PeerSettings {
        HTTP2PeerSettings(
            maxConcurrentStreams: nghttp2_session_get_remote_settings(
                pointer,
                NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS
            ),
            maxHeaderListSize: nghttp2_session_get_remote_settings(
                pointer,
                NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE
            )
        )
    }

    private func entry(
        _ id: nghttp2_settings_id,
        _ value: UInt32
    ) -> nghttp2_settings_entry {
        nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: value)
    }

    func check(_ status: some BinaryInteger) throws(HTTP2Error) {
        guard status >= 0 else { throw HTTP2Error(nghttp2: Int(status)) }
    }
}
