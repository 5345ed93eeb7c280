import CNGHTTP2

/// One HTTP/2 connection without its socket: bytes in, events out, and bytes to send.
///
/// Not `Sendable`: an actor or a single thread owns it. ``receive(_:)`` and ``produce(into:upTo:)``
/// collect events; ``takeEvents()`` hands them over, so no caller runs inside nghttp2.
///
/// Flow control: the connection's window is given back as bytes arrive, a stream's window only by
/// ``credit(_:bytes:)``. A reader that stops stalls its own stream and no other.
package final class HTTP2Session {
    /// Which end of the connection this is.
    package enum Role: Sendable {
        /// Opens streams.
        case client
        /// Answers them.
        case server
    }

    /// Which end of the connection this is.
    package let role: Role

    // Owned: made in `init`, freed in `deinit`, used nowhere else after that.
    let pointer: OpaquePointer
    let maxHeaderListSize: Int

    private var events: [HTTP2Event] = []
    private var dataStream: StreamID = 0
    private var data: [UInt8] = []
    private var isInside = false

    var bodies: [StreamID: OutgoingBody] = [:]
    var openBlock: HeaderBlock?
    var isTerminatedByUs = false

    /// A header block whose fields are still arriving.
    struct HeaderBlock {
        var stream: StreamID
        var fields: [HeaderField] = []
        var size = 0
    }

    /// Makes a session and queues its settings.
    ///
    /// - Parameters:
    ///   - role: Which end this is.
    ///   - settings: What to tell the peer, and the bounds to keep.
    /// - Throws: ``HTTP2Error`` when memory runs out or a setting is out of range.
    package init(role: Role, settings: HTTP2Settings = HTTP2Settings()) throws(HTTP2Error) {
        var options: OpaquePointer?
        var callbacks: OpaquePointer?
        defer {
            nghttp2_option_del(options)
            nghttp2_session_callbacks_del(callbacks)
        }
        guard nghttp2_option_new(&options) == 0, nghttp2_session_callbacks_new(&callbacks) == 0,
            let options, let callbacks
        else { throw HTTP2Error(nghttp2: Int(NGHTTP2_ERR_NOMEM.rawValue)) }
        nghttp2_option_set_no_auto_window_update(options, 1)
        nghttp2_option_set_no_closed_streams(options, 1)
        nghttp2_option_set_stream_reset_rate_limit(
            options,
            settings.resetBurst,
            settings.resetsPerSecond
        )
        // Larger blocks are refused with a clear error before they get here.
        nghttp2_option_set_max_send_header_block_length(options, 1 << 20)
        Self.register(callbacks)

        var session: OpaquePointer?
        let made =
            switch role {
            case .client: nghttp2_session_client_new2(&session, callbacks, nil, options)
            case .server: nghttp2_session_server_new2(&session, callbacks, nil, options)
            }
        guard made == 0, let session else { throw HTTP2Error(nghttp2: Int(made)) }
        self.role = role
        pointer = session
        maxHeaderListSize = Int(settings.maxHeaderListSize)
        // Unretained: nghttp2 calls back only inside calls on `pointer`, which only `self` makes.
        nghttp2_session_set_user_data(session, Unmanaged.passUnretained(self).toOpaque())
        try announce(settings)
    }

    deinit { nghttp2_session_del(pointer) }

    /// Whether the session has nothing more to read or to send.
    package var isFinished: Bool {
        !takesInput && !hasOutput
    }

    /// Whether ``produce(into:upTo:)`` would give bytes now.
    package var hasOutput: Bool { nghttp2_session_want_write(pointer) != 0 }

    /// Whether input still means something: what comes after the peer's leave and the last stream is
    /// ignored, unless it came with them.
    package var takesInput: Bool { nghttp2_session_want_read(pointer) != 0 }

    /// How many frames wait to be sent, streams waiting for flow control left out.
    ///
    /// Grows when a peer causes answers and does not read them; the owner bounds it.
    package var queuedFrames: Int { nghttp2_session_get_outbound_queue_size(pointer) }

    /// Takes bytes that arrived.
    ///
    /// Split and joined as it likes. What they mean is in ``takeEvents()``.
    ///
    /// - Parameter bytes: Read during the call only.
    /// - Throws: ``HTTP2Error`` when the session can't continue; events so far are kept.
    package func receive(_ bytes: UnsafeRawBufferPointer) throws(HTTP2Error) {
        try enter()
        defer { isInside = false }
        let taken = nghttp2_session_mem_recv(
            pointer,
            bytes.baseAddress?.assumingMemoryBound(to: UInt8.self),
            bytes.count
        )
        guard taken >= 0 else { throw HTTP2Error(nghttp2: taken) }
    }

    /// Takes bytes that arrived; see the other `receive`.
    ///
    /// - Parameter bytes: What arrived.
    /// - Throws: ``HTTP2Error`` when the session can't continue.
    package func receive(_ bytes: [UInt8]) throws(HTTP2Error) {
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(HTTP2Error) in try receive(buffer) }
        }
        try result.get()
    }

    /// Appends bytes to send.
    ///
    /// - Parameters:
    ///   - output: What to send next, in order.
    ///   - limit: Stops once `output` holds this many bytes; the last frame may pass it.
    /// - Throws: ``HTTP2Error`` when the session can't continue.
    package func produce(into output: inout [UInt8], upTo limit: Int) throws(HTTP2Error) {
        try enter()
        defer { isInside = false }
        while output.count < limit {
            var frame: UnsafePointer<UInt8>?
            let length = nghttp2_session_mem_send(pointer, &frame)
            guard length >= 0 else { throw HTTP2Error(nghttp2: length) }
            guard length > 0, let frame else { return }
            // nghttp2 keeps the frame until its next call.
            output.append(contentsOf: UnsafeBufferPointer(start: frame, count: length))
        }
    }

    /// Hands over what happened since the last call, in order.
    ///
    /// - Returns: The events; often none.
    package func takeEvents() -> [HTTP2Event] {
        flushData()
        guard !events.isEmpty else { return [] }
        defer { events.removeAll(keepingCapacity: true) }
        return events
    }

    // MARK: - For the callbacks

    func emit(_ event: HTTP2Event) {
        flushData()
        events.append(event)
    }

    /// Joins neighbouring frames of one stream into one event.
    func emitData(_ stream: StreamID, _ bytes: UnsafeBufferPointer<UInt8>) {
        if stream != dataStream { flushData() }
        dataStream = stream
        data.append(contentsOf: bytes)
    }

    private func flushData() {
        guard !data.isEmpty else { return }
        events.append(.data(stream: dataStream, bytes: data))
        data = []
    }

    // `mem_recv` and `mem_send` must not be called from inside a callback.
    private func enter() throws(HTTP2Error) {
        guard !isInside else {
            throw HTTP2Error(code: .reentered, detail: "called from a callback")
        }
        isInside = true
    }
}

extension HTTP2Error {
    init(nghttp2 status: Int) {
        let code: Code =
            switch Int32(truncatingIfNeeded: status) {
            case NGHTTP2_ERR_BAD_CLIENT_MAGIC.rawValue: .notHTTP2
            case NGHTTP2_ERR_FLOODED.rawValue, NGHTTP2_ERR_TOO_MANY_CONTINUATIONS.rawValue:
                .flooded
            case NGHTTP2_ERR_STREAM_CLOSED.rawValue, NGHTTP2_ERR_STREAM_CLOSING.rawValue,
                NGHTTP2_ERR_STREAM_SHUT_WR.rawValue, NGHTTP2_ERR_INVALID_STREAM_ID.rawValue,
                NGHTTP2_ERR_INVALID_STREAM_STATE.rawValue, NGHTTP2_ERR_DATA_EXIST.rawValue:
                .streamClosed
            case NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE.rawValue,
                NGHTTP2_ERR_START_STREAM_NOT_ALLOWED.rawValue,
                NGHTTP2_ERR_GOAWAY_ALREADY_SENT.rawValue, NGHTTP2_ERR_SESSION_CLOSING.rawValue:
                .streamsRefused
            case NGHTTP2_ERR_NOMEM.rawValue, NGHTTP2_ERR_CALLBACK_FAILURE.rawValue,
                NGHTTP2_ERR_INVALID_ARGUMENT.rawValue, NGHTTP2_ERR_INTERNAL.rawValue:
                .internalFailure
            default: .protocolViolation
            }
        let text = nghttp2_strerror(Int32(truncatingIfNeeded: status))
        self.init(code: code, detail: text.map { String(cString: $0) } ?? "status \(status)")
    }
}
