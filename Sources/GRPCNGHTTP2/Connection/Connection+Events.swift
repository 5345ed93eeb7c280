import GRPCCore
import NGHTTP2

// What the session reports, as news for calls.
extension Connection {
    func handle(_ events: [HTTP2Event]) {
        for event in events {
            guard phase != .closed else { return }
            handle(event)
        }
    }

    private func handle(_ event: HTTP2Event) {
        switch event {
        case .headers(let stream, let fields, let endStream):
            if let state = streams[stream] {
                headers(state, fields, endStream)
            } else if role == .server {
                accept(stream, fields)
            }
        case .data(let stream, let bytes):
            guard let state = streams[stream] else {
                // The rest of a request that was refused, or a race with our reset.
                return session.credit(stream, bytes: bytes.count)
            }
            data(state, bytes)
        case .remoteEnd(let stream):
            if let state = streams[stream] { remoteEnd(state) }
        case .closed(let stream, let code):
            if let state = streams[stream] { streamClosed(state, code) }
        case .headersTooLarge(let stream):
            if let state = streams[stream] { headersTooLarge(state) }
        case .bodySent(let stream, let bytes):
            streams[stream]?.call.outbound.leave(bytes)
            pingPolicy?.answered()
        case .settings(let settings):
            maxStreams = Int(settings.maxConcurrentStreams)
            maxPeerHeaderList = Int(settings.maxHeaderListSize)
            becomeOpen()
        case .ping:
            pinged()
        case .pingAcknowledged(let purpose):
            guard purpose == PingPurpose.shutdown, phase == .draining else { return }
            attempt { () throws(HTTP2Error) in try session.goAway() }
        case .goAway(_, let code, let debug):
            let words = debug.isEmpty ? "" : ", \(String(reflecting: debug))"
            becomeUnusable(
                GRPCTransportError(
                    .connectionClosed,
                    "\(address) sent GOAWAY (\(code)\(words))"
                )
            )
            closeIfDrained()
        case .failed(let code, let reason):
            let error: GRPCTransportError.Code = phase == .settling ? .notHTTP2 : .protocolViolation
            let words = reason.isEmpty ? "" : ": \(reason)"
            closeAfterFlush = GRPCTransportError(error, "\(address) broke HTTP/2 (\(code)\(words))")
        }
    }

    private func pinged() {
        guard role == .server, pingPolicy != nil,
            pingPolicy?.received(at: .now, hasCalls: !calls.isEmpty) == false
        else { return }
        attempt { () throws(HTTP2Error) in
            try session.goAway(.enhanceYourCalm, debug: "too_many_pings")
        }
        closeAfterFlush = GRPCTransportError(.protocolViolation, "\(address) pings too often")
    }

    // MARK: - Calls

    private func headers(_ state: CallState, _ fields: [HeaderField], _ endStream: Bool) {
        // A client's trailers mean nothing in gRPC.
        guard role == .client, !state.hasStatus else { return }
        switch ResponseHead.read(fields, endStream: endStream) {
        case .informational: break
        case .initial(let metadata):
            guard !state.hasHeaders else {
                return fail(
                    state,
                    RPCError(code: .internalError, message: "the server sent headers twice")
                )
            }
            state.hasHeaders = true
            _ = state.call.inbound.push(.metadata(metadata))
        case .end(let status, let metadata):
            receivedStatus(state, status, metadata)
            // An answer that is not gRPC has a body nobody wants.
            if !endStream, let stream = state.stream { session.reset(stream, .cancel) }
        }
    }

    private func data(_ state: CallState, _ bytes: [UInt8]) {
        guard let stream = state.stream else { return }
        guard !state.hasStatus else { return session.credit(stream, bytes: bytes.count) }
        guard role == .server || state.hasHeaders else {
            return fail(
                state,
                RPCError(code: .internalError, message: "the server sent a message before headers")
            )
        }
        let messages: [[UInt8]]
        do {
            messages = try state.deframer.append(bytes)
        } catch {
            return fail(state, error)
        }
        var mayCredit = state.withheld == 0
        for message in messages where !state.call.inbound.push(.message(message)) {
            mayCredit = false
        }
        if mayCredit {
            session.credit(stream, bytes: bytes.count)
        } else {
            state.withheld += bytes.count
        }
    }

    private func remoteEnd(_ state: CallState) {
        state.hasRemoteEnd = true
        guard !state.hasStatus else { return }
        guard !state.deframer.isMidMessage else {
            return fail(
                state,
                RPCError(
                    code: .internalError,
                    message: "the stream ended in the middle of a message"
                )
            )
        }
        switch role {
        case .client: receivedStatus(state, ResponseHead.missingStatus, [:])
        case .server: state.call.inbound.finish()
        }
    }

    private func receivedStatus(_ state: CallState, _ status: Status, _ metadata: Metadata) {
        state.hasStatus = true
        _ = state.call.inbound.push(.status(status, metadata))
        state.call.inbound.finish()
        state.call.outbound.close(
            RPCError(code: .unavailable, message: "the server has ended the call")
        )
    }

    private func headersTooLarge(_ state: CallState) {
        state.hasStatus = true
        let limit = settings.http2.maxHeaderListSize
        state.call.end(
            RPCError(
                code: .resourceExhausted,
                message: "the peer's headers are larger than \(limit) bytes"
            )
        )
    }

    private func streamClosed(_ state: CallState, _ code: HTTP2ErrorCode) {
        remove(state)
        if !state.hasStatus {
            let error: RPCError =
                role == .server && (code == .cancel || code == .noError)
                ? RPCError(code: .cancelled, message: "the client cancelled the call")
                : StreamEnding.error(reset: code)
            // The handler is told before it can see a read or write fail.
            if role == .server { state.call.cancelHandler() }
            state.call.inbound.fail(error)
            state.call.outbound.close(error)
        }
        closeIfDrained()
    }

    /// Ends a call that broke a rule, for both sides.
    func fail(_ state: CallState, _ error: RPCError) {
        guard !state.hasStatus else { return }
        switch role {
        case .client:
            state.hasStatus = true
            state.call.inbound.fail(error)
            state.call.outbound.close(error)
            if let stream = state.stream { session.reset(stream, .cancel) }
        case .server:
            let status = Status(code: Status.Code(error.code), message: error.message)
            let sensitive = settings.sensitiveHeaders
            end(
                state,
                trailers: ResponseHead.trailers(status, [:], sensitive: sensitive, alone: false),
                alone: ResponseHead.trailers(status, [:], sensitive: sensitive, alone: true)
            )
            state.call.end(error)
        }
    }
}
