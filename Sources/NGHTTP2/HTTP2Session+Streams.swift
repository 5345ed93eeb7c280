import CNGHTTP2

extension HTTP2Session {
    /// Opens a stream with a request.
    ///
    /// - Parameters:
    ///   - fields: Pseudo-header fields first.
    ///   - endStream: True when no body follows.
    /// - Returns: The new stream's number.
    /// - Throws: ``HTTP2Error``, `streamsRefused` when no stream can be opened any more.
    package func request(
        _ fields: [HeaderField],
        endStream: Bool = false
    ) throws(HTTP2Error) -> StreamID {
        guard nghttp2_session_check_request_allowed(pointer) != 0 else {
            throw HTTP2Error(code: .streamsRefused, detail: "the session opens no new streams")
        }
        let body = endStream ? nil : OutgoingBody()
        let stream = withVectors(fields) { vectors in
            withProvider(body) {
                nghttp2_submit_request(pointer, nil, vectors.baseAddress, vectors.count, $0, nil)
            }
        }
        try check(stream)
        bodies[stream] = body
        return stream
    }

    /// Answers a request with its first header block.
    ///
    /// - Parameters:
    ///   - stream: The request's stream.
    ///   - fields: `:status` first.
    ///   - endStream: True when neither body nor trailers follow.
    /// - Throws: ``HTTP2Error``, `streamClosed` when the stream is gone.
    package func respond(
        _ stream: StreamID,
        _ fields: [HeaderField],
        endStream: Bool = false
    ) throws(HTTP2Error) {
        let body = endStream ? nil : OutgoingBody()
        let status = withVectors(fields) { vectors in
            withProvider(body) {
                nghttp2_submit_response(pointer, stream, vectors.baseAddress, vectors.count, $0)
            }
        }
        try check(status)
        bodies[stream] = body
    }

    /// Queues bytes of a stream's body; ``HTTP2Event/bodySent(stream:bytes:)`` tells when they go.
    ///
    /// - Parameters:
    ///   - stream: A stream whose header block was sent with `endStream` false.
    ///   - bytes: Any number; the peer's windows decide the pace.
    /// - Returns: False when the stream is gone, and the bytes with it.
    @discardableResult
    package func send(_ stream: StreamID, _ bytes: [UInt8]) -> Bool {
        guard let body = bodies[stream] else { return false }
        body.append(bytes)
        resume(stream, body)
        return true
    }

    /// Ends our side of a stream once its queued bytes are out.
    ///
    /// - Parameters:
    ///   - stream: A stream whose header block was sent with `endStream` false.
    ///   - trailers: A last header block, or nil for a bare end of stream.
    /// - Returns: False when the stream is gone.
    @discardableResult
    package func finish(_ stream: StreamID, trailers: [HeaderField]? = nil) -> Bool {
        guard let body = bodies[stream] else { return false }
        body.ending = trailers.map { .trailers($0) } ?? .endOfStream
        resume(stream, body)
        return true
    }

    /// Ends both sides of a stream at once; queued bytes are dropped.
    ///
    /// - Parameters:
    ///   - stream: Closed streams are ignored.
    ///   - code: Why.
    package func reset(_ stream: StreamID, _ code: HTTP2ErrorCode) {
        // Fails only when memory runs out, which the next call on the session reports.
        _ = nghttp2_submit_rst_stream(
            pointer,
            UInt8(NGHTTP2_FLAG_NONE.rawValue),
            stream,
            code.rawValue
        )
    }

    /// Lets the peer send so many bytes more on a stream.
    ///
    /// - Parameters:
    ///   - stream: Closed streams are ignored.
    ///   - bytes: Bytes of ``HTTP2Event/data(stream:bytes:)`` that were taken care of.
    package func credit(_ stream: StreamID, bytes: Int) {
        // An error means that the stream is closed: its window does not matter any more.
        _ = nghttp2_session_consume_stream(pointer, stream, bytes)
    }

    private func resume(_ stream: StreamID, _ body: OutgoingBody) {
        guard body.isDeferred else { return }
        body.isDeferred = false
        _ = nghttp2_session_resume_data(pointer, stream)
    }

    // The provider names no body: the callback finds it by stream, so no pointer can dangle.
    private func withProvider<R>(
        _ body: OutgoingBody?,
        _ use: (UnsafePointer<nghttp2_data_provider>?) -> R
    ) -> R {
        guard body != nil else { return use(nil) }
        var provider = nghttp2_data_provider()
        provider.read_callback = Self.readBody
        return withUnsafePointer(to: provider) { use($0) }
    }

    /// Lays the fields out as nghttp2 wants them; the pointers live as long as the call.
    func withVectors<R>(
        _ fields: [HeaderField],
        _ use: (UnsafeBufferPointer<nghttp2_nv>) -> R
    ) -> R {
        var text: [UInt8] = []
        text.reserveCapacity(fields.reduce(0) { $0 + $1.listSize })
        for field in fields {
            text.append(contentsOf: field.name.utf8)
            text.append(contentsOf: field.value.utf8)
        }
        return text.withUnsafeMutableBufferPointer { text in
            var offset = 0
            var vectors: [nghttp2_nv] = []
            vectors.reserveCapacity(fields.count)
            for field in fields {
                var vector = nghttp2_nv()
                vector.namelen = field.name.utf8.count
                vector.valuelen = field.value.utf8.count
                vector.name = text.baseAddress?.advanced(by: offset)
                vector.value = text.baseAddress?.advanced(by: offset + vector.namelen)
                vector.flags = UInt8(
                    field.neverIndexed
                        ? NGHTTP2_NV_FLAG_NO_INDEX.rawValue : NGHTTP2_NV_FLAG_NONE.rawValue
                )
                offset += vector.namelen + vector.valuelen
                vectors.append(vector)
            }
            return vectors.withUnsafeBufferPointer { use($0) }
        }
    }
}
