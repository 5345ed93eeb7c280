import CNGHTTP2

// nghttp2 calls these only inside `mem_recv` and `mem_send`, on the caller's thread. They write
// down what happened and return; nothing here calls out.
extension HTTP2Session {
    static func register(_ callbacks: OpaquePointer) {
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, user in
            HTTP2Session.of(user)?.beginHeaders(frame) ?? 0
        }
        nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _,
            frame,
            name,
            nameLength,
            value,
            valueLength,
            flags,
            user in
            HTTP2Session.of(user)?.header(
                UnsafeBufferPointer(start: name, count: nameLength),
                UnsafeBufferPointer(start: value, count: valueLength),
                flags
            ) ?? 0
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, user in
            if let frame { HTTP2Session.of(user)?.received(frame.pointee) }
            return 0
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
            _,
            _,
            stream,
            bytes,
            count,
            user in
            HTTP2Session.of(user)?.received(stream, UnsafeBufferPointer(start: bytes, count: count))
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, stream, code, user in
            HTTP2Session.of(user)?.closed(stream, HTTP2ErrorCode(rawValue: code))
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, user in
            if let frame { HTTP2Session.of(user)?.sent(frame.pointee) }
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks) {
            _,
            frame,
            status,
            user in
            if let frame { HTTP2Session.of(user)?.notSent(frame.pointee, status) }
            return 0
        }
    }

    /// Fills a DATA frame from the stream's body.
    static let readBody: nghttp2_data_source_read_callback = {
        _,
        stream,
        buffer,
        length,
        flags,
        _,
        user in
        guard let session = HTTP2Session.of(user), let flags else {
            return Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)
        }
        let target = UnsafeMutableRawBufferPointer(start: buffer, count: length)
        return session.readBody(stream, target, &flags.pointee)
    }

    // The pointer was set from `self` in `init` and is used only while `self` makes a call.
    private static func of(_ user: UnsafeMutableRawPointer?) -> HTTP2Session? {
        user.map { Unmanaged<HTTP2Session>.fromOpaque($0).takeUnretainedValue() }
    }

    // MARK: - Receiving

    private func beginHeaders(_ frame: UnsafePointer<nghttp2_frame>?) -> Int32 {
        guard let frame else { return 0 }
        openBlock = HeaderBlock(stream: frame.pointee.hd.stream_id)
        return 0
    }

    private func header(
        _ name: UnsafeBufferPointer<UInt8>,
        _ value: UnsafeBufferPointer<UInt8>,
        _ flags: UInt8
    ) -> Int32 {
        guard var block = openBlock else { return 0 }
        openBlock = nil  // so that appending does not copy the fields
        block.size += name.count + value.count + 32
        guard block.size <= maxHeaderListSize else {
            emit(.headersTooLarge(stream: block.stream))
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
        }
        block.fields.append(
            HeaderField(
                String(decoding: name, as: UTF8.self),
                String(decoding: value, as: UTF8.self),
                neverIndexed: UInt32(flags) & NGHTTP2_NV_FLAG_NO_INDEX.rawValue != 0
            )
        )
        openBlock = block
        return 0
    }

    private func received(_ stream: StreamID, _ bytes: UnsafeBufferPointer<UInt8>) {
        // The connection's window goes back at once: a slow reader stalls only its own stream.
        _ = nghttp2_session_consume_connection(pointer, bytes.count)
        emitData(stream, bytes)
    }

    private func received(_ frame: nghttp2_frame) {
        let stream = frame.hd.stream_id
        let ends = UInt32(frame.hd.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0
        let acknowledges = UInt32(frame.hd.flags) & NGHTTP2_FLAG_ACK.rawValue != 0
        switch UInt32(frame.hd.type) {
        case NGHTTP2_HEADERS.rawValue:
            let fields = openBlock?.fields ?? []
            openBlock = nil
            emit(.headers(stream: stream, fields: fields, endStream: ends))
            if ends { emit(.remoteEnd(stream: stream)) }
        case NGHTTP2_DATA.rawValue:
            if ends { emit(.remoteEnd(stream: stream)) }
        case NGHTTP2_SETTINGS.rawValue:
            if !acknowledges { emit(.settings(peerSettings())) }
        case NGHTTP2_PING.rawValue:
            let opaque = withUnsafeBytes(of: frame.ping.opaque_data) {
                UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self))
            }
            emit(acknowledges ? .pingAcknowledged(opaque) : .ping)
        case NGHTTP2_GOAWAY.rawValue:
            emit(
                .goAway(
                    lastStream: frame.goaway.last_stream_id,
                    code: HTTP2ErrorCode(rawValue: frame.goaway.error_code),
                    debug: debugText(frame.goaway)
                )
            )
        default:
            break
        }
    }

    private func closed(_ stream: StreamID, _ code: HTTP2ErrorCode) {
        bodies[stream] = nil
        emit(.closed(stream: stream, code: code))
    }

    // MARK: - Sending

    private func readBody(
        _ stream: StreamID,
        _ buffer: UnsafeMutableRawBufferPointer,
        _ flags: inout UInt32
    ) -> Int {
        guard let body = bodies[stream] else {
            return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
        }
        let count = body.read(into: buffer)
        if count > 0 { emit(.bodySent(stream: stream, bytes: count)) }
        guard body.isEmpty else { return count }
        switch body.ending {
        case .open:
            guard count == 0 else { return count }
            body.isDeferred = true
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        case .endOfStream:
            flags |= NGHTTP2_DATA_FLAG_EOF.rawValue
        case .trailers(let fields):
            flags |= NGHTTP2_DATA_FLAG_EOF.rawValue | NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
            let status = withVectors(fields) {
                nghttp2_submit_trailer(pointer, stream, $0.baseAddress, $0.count)
            }
            guard status == 0 else { return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue) }
        }
        return count
    }

    private func sent(_ frame: nghttp2_frame) {
        let stream = frame.hd.stream_id
        switch UInt32(frame.hd.type) {
        case NGHTTP2_GOAWAY.rawValue:
            let code = HTTP2ErrorCode(rawValue: frame.goaway.error_code)
            guard code != .noError, !isTerminatedByUs else { return }
            emit(.failed(code: code, reason: debugText(frame.goaway)))
        case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue:
            // A server that has answered does not wait for the rest of the request (RFC 9113 §8.1).
            guard role == .server,
                UInt32(frame.hd.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0,
                nghttp2_session_get_stream_remote_close(pointer, stream) == 0
            else { return }
            reset(stream, .noError)
        default:
            break
        }
    }

    // A request that nghttp2 could not send never becomes a stream, so nothing else closes it.
    private func notSent(_ frame: nghttp2_frame, _ status: Int32) {
        guard UInt32(frame.hd.type) == NGHTTP2_HEADERS.rawValue,
            frame.headers.cat == NGHTTP2_HCAT_REQUEST
        else { return }
        let refused =
            status == NGHTTP2_ERR_START_STREAM_NOT_ALLOWED.rawValue
            || status == NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE.rawValue
        closed(frame.hd.stream_id, refused ? .refusedStream : .internalError)
    }

    private func debugText(_ frame: nghttp2_goaway) -> String {
        String(
            decoding: UnsafeBufferPointer(
                start: frame.opaque_data,
                count: min(frame.opaque_data_len, 256)
            ),
            as: UTF8.self
        )
    }
}
