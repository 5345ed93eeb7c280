import GRPCCore
import NGHTTP2

// What tasks ask of their calls.
extension Connection {
    func run(_ command: Command) {
        switch command {
        case .start: start()
        case .open(let call, let fields): open(call, fields)
        case .send(let call, let chunks, let count): send(call, chunks, count)
        case .finish(let call): finish(call)
        case .respond(let call, let fields): respond(call, fields)
        case .end(let call, let trailers, let alone):
            if let state = state(of: call) { end(state, trailers: trailers, alone: alone) }
        case .cancel(let call, let code): cancel(call, code)
        case .caughtUp(let call): caughtUp(call)
        case .handlerReturned(let call): handlerReturned(call)
        case .drain: drain()
        case .close(let reason): close(reason)
        }
    }

    func state(of call: Call) -> CallState? { calls[ObjectIdentifier(call)] }

    /// Forgets a call; what it waits for was or is being told elsewhere.
    func remove(_ state: CallState) {
        calls[ObjectIdentifier(state.call)] = nil
        if let stream = state.stream { streams[stream] = nil }
        if let deadline = state.deadline { loop.cancel(deadline) }
        state.deadline = nil
        state.call.forgotten()
    }

    // MARK: - Client

    private func open(_ call: Call, _ fields: [HeaderField]) {
        guard phase == .open else {
            let reason = unusable.current?.detail ?? "it is not open"
            let error = GRPCTransportError(.notProcessed, "the connection ended: \(reason)")
            return call.end(error.rpcError())
        }
        let size = fields.reduce(0) { $0 + $1.listSize }
        // What nghttp2 can send, if the peer accepts more.
        let limit = min(maxPeerHeaderList, 1 << 20)
        guard size <= limit else {
            return call.end(
                RPCError(
                    code: .resourceExhausted,
                    message: "the metadata has \(size) bytes; the limit is \(limit)"
                )
            )
        }
        guard waiting.count < settings.maxWaitingCalls else {
            let error = GRPCTransportError(
                .resourcesExhausted,
                "\(waiting.count) calls wait for one of \(maxStreams) streams"
            )
            return call.end(error.rpcError(.resourceExhausted))
        }
        let state = CallState(call)
        if let deadline = call.deadline {
            state.deadline = loop.schedule(after: ContinuousClock.now.duration(to: deadline)) {
                self.assumeIsolated { $0.deadlinePassed(call) }
            }
        }
        state.request = fields
        calls[ObjectIdentifier(call)] = state
        waiting.append(state)
        openWaiting()
    }

    /// Opens streams for waiting calls, as many as the peer allows.
    func openWaiting() {
        guard !waiting.isEmpty, phase == .open, streams.count < maxStreams else { return }
        let count = min(waiting.count, maxStreams - streams.count)
        let next = waiting[..<count]
        waiting.removeFirst(count)
        for state in next where calls[ObjectIdentifier(state.call)] != nil { begin(state) }
    }

    private func begin(_ state: CallState) {
        do {
            let stream = try session.request(state.request)
            state.stream = stream
            streams[stream] = state
            state.request = []
            for chunk in state.backlog { session.send(stream, chunk) }
            state.backlog = []
            if state.isFinished { session.finish(stream) }
        } catch {
            remove(state)
            let reason = GRPCTransportError(.notProcessed, "no new stream: \(error.detail)")
            state.call.end(reason.rpcError())
            if error.code == .streamsRefused { becomeUnusable(reason) }
        }
    }

    private func finish(_ call: Call) {
        guard let state = state(of: call) else { return }
        state.isFinished = true
        if let stream = state.stream { session.finish(stream) }
    }

    // MARK: - Both

    private func send(_ call: Call, _ chunks: [[UInt8]], _ count: Int) {
        guard let state = state(of: call) else { return call.outbound.leave(count) }
        guard let stream = state.stream else {
            state.backlog += chunks
            return
        }
        for chunk in chunks where !session.send(stream, chunk) {
            call.outbound.leave(chunk.count)
        }
    }

    private func cancel(
        _ call: Call,
        _ code: HTTP2ErrorCode,
        _ error: RPCError = .cancelled
    ) {
        guard let state = state(of: call) else { return }
        if let stream = state.stream {
            // Its end comes as an event, once the reset is on its way.
            state.hasStatus = true
            session.reset(stream, code)
        } else {
            waiting.removeAll { $0 === state }
            remove(state)
            closeIfDrained()
        }
        call.end(error)
    }

    private func caughtUp(_ call: Call) {
        guard let state = state(of: call), let stream = state.stream else { return }
        session.credit(stream, bytes: state.withheld)
        state.withheld = 0
    }

    // MARK: - Server

    /// A request arrived: hands it to a handler, or answers it at once.
    func accept(_ stream: StreamID, _ fields: [HeaderField]) {
        // Resets are cheap for a client; a handler that goes on after one still counts, so that
        // opening and resetting streams can't pile handlers up.
        guard runningHandlers < Int(settings.http2.maxConcurrentStreams) * 2 + 16,
            let onRequest
        else { return session.reset(stream, .refusedStream) }
        do {
            let head = try RequestHead(fields)
            let call = Call(head.method, limits: settings.limits, connection: self)
            let state = CallState(call)
            state.stream = stream
            calls[ObjectIdentifier(call)] = state
            streams[stream] = state
            runningHandlers += 1
            if let timeout = head.timeout {
                state.deadline = loop.schedule(after: timeout) {
                    self.assumeIsolated { $0.deadlinePassed(call) }
                }
            }
            onRequest(call, head.metadata)
        } catch {
            refuse(stream, error)
        }
    }

    private func refuse(_ stream: StreamID, _ refusal: RequestHead.Refusal) {
        let fields =
            switch refusal {
            case .http(let status): [HeaderField(":status", "\(status)")]
            case .status(let status):
                ResponseHead.trailers(status, [:], sensitive: [], alone: true)
            }
        attemptAnswer { () throws(HTTP2Error) in
            try session.respond(stream, fields, endStream: true)
        }
    }

    private func respond(_ call: Call, _ fields: [HeaderField]) {
        guard let state = state(of: call), let stream = state.stream, !state.hasStatus,
            !state.hasHeaders
        else { return }
        state.hasHeaders = true
        attemptAnswer { () throws(HTTP2Error) in try session.respond(stream, fields) }
    }

    /// Ends a call with its status.
    func end(_ state: CallState, trailers: [HeaderField], alone: [HeaderField]) {
        guard let stream = state.stream, !state.hasStatus else { return }
        state.hasStatus = true
        pingPolicy?.answered()
        if state.hasHeaders {
            session.finish(stream, trailers: trailers)
        } else {
            attemptAnswer { () throws(HTTP2Error) in
                try session.respond(stream, alone, endStream: true)
            }
        }
    }

    private func attemptAnswer(_ action: () throws(HTTP2Error) -> Void) {
        do {
            try action()
        } catch {
            // The stream closed under us; its event is on the way. Anything else ends all.
            if error.code != .streamClosed { attempt { () throws(HTTP2Error) in throw error } }
        }
    }

    private func deadlinePassed(_ call: Call) {
        guard let state = state(of: call) else { return }
        switch role {
        case .client: cancel(call, .cancel, .deadlineExceeded)
        case .server: fail(state, .deadlineExceeded)
        }
        pumpLast()
    }

    private func handlerReturned(_ call: Call) {
        runningHandlers -= 1
        guard let state = state(of: call) else { return }
        // Nobody reads any more: let what is still under way pass.
        if let stream = state.stream {
            session.credit(stream, bytes: state.withheld)
            state.withheld = 0
        }
        fail(state, RPCError(code: .unknown, message: "the handler returned without a status"))
    }
}
