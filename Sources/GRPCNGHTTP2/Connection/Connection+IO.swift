import Glibc
import NGHTTP2

// Sockets: what arrives goes through TLS into the session, what the session makes goes out.
extension Connection {
    /// Reading stops after so many rounds, so that one busy peer does not starve the others.
    private static let readRounds = 4
    /// Frames are joined up to this size before they are encrypted and sent.
    private static let outputSize = 65_536
    /// Answers a peer may cause without reading them.
    private static let maxQueuedFrames = 20_000

    func becameReady(_ readiness: EventLoop.Readiness) {
        guard phase != .closed else { return }
        if phase == .connecting {
            if let error = socket?.pendingError(address) { return close(error) }
            guard readiness.contains(.writable) else { return }
            attemptTransport { () throws(GRPCTransportError) in try beginSession() }
        } else if !readiness.isDisjoint(with: [.readable, .failed]) {
            readSocket()
        }
        pumpLast()
    }

    // MARK: - Reading

    private func readSocket() {
        for _ in 0..<Self.readRounds {
            let count = buffers.received.withUnsafeMutableBytes {
                recv(descriptor, $0.baseAddress, $0.count, 0)
            }
            if count == 0 { return peerClosed() }
            guard count > 0 else {
                if errno == EAGAIN || errno == EINTR { return }
                let broken = GRPCTransportError.system(
                    .connectionLost,
                    "the connection to \(address) broke"
                )
                return close(broken)
            }
            keepalive?.received(at: .now)
            take(count)
            guard phase != .closed, count == buffers.received.count else { return }
        }
    }

    private func take(_ count: Int) {
        guard let tls else {
            let received = buffers.received
            return received.withUnsafeBytes {
                receive(UnsafeRawBufferPointer(rebasing: $0[..<count]))
            }
        }
        attemptTransport { () throws(GRPCTransportError) in
            let fed = buffers.received.withUnsafeBytes { bytes in
                Result { () throws(GRPCTransportError) in
                    try tls.receive(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
                }
            }
            try fed.get()
            if phase == .handshaking { try continueHandshake() }
            if phase != .handshaking { try takePlaintext(tls) }
        }
    }

    func continueHandshake() throws(GRPCTransportError) {
        guard let tls else { return }
        // What the handshake wrote goes out also when it failed: the alert tells the peer why.
        defer { tls.takeOutput(into: &buffers.unsent) }
        do {
            if try tls.handshake() { phase = .settling }
        } catch {
            throw GRPCTransportError(error.code, "\(address): \(error.detail)")
        }
    }

    private func takePlaintext(_ tls: TLSEngine) throws(GRPCTransportError) {
        var plaintext: [UInt8] = []
        let result = try tls.read(into: &plaintext)
        plaintext.withUnsafeBytes { receive($0) }
        if case .ended = result { peerClosed() }
    }

    private func receive(_ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty else { return }
        do {
            try session.receive(bytes)
        } catch {
            handle(session.takeEvents())
            attempt { () throws(HTTP2Error) in throw error }
            return
        }
        handle(session.takeEvents())
    }

    private func peerClosed() {
        switch phase {
        case .handshaking:
            close(
                GRPCTransportError(
                    .handshakeFailed,
                    "\(address) closed the connection during the TLS handshake"
                )
            )
        case .settling:
            close(
                GRPCTransportError(.notHTTP2, "\(address) closed the connection without a frame")
            )
        default:
            close(
                unusable.current
                    ?? GRPCTransportError(
                        .connectionClosed,
                        "\(address) closed the connection"
                    )
            )
        }
    }

    // MARK: - Writing

    /// Sends what there is once the loop has run everything else that waits.
    ///
    /// What arrived together, and what handlers on the loop say to it, then leaves together.
    func pumpLast() {
        guard !isPumpDue, phase != .closed else { return }
        isPumpDue = true
        loop.executeLast {
            self.assumeIsolated { connection in
                connection.isPumpDue = false
                connection.pump()
            }
        }
    }

    /// Sends what there is, until nothing is left or the socket is full.
    func pump() {
        var rounds = 0
        while phase != .closed {
            guard flush() else { return }
            guard phase != .connecting, phase != .handshaking, phase != .idle else { return }
            rounds += 1
            if rounds > 16 {
                // Others get their turn.
                return loop.execute { self.assumeIsolated { $0.pump() } }
            }
            guard produce() else { break }
        }
        settle()
    }

    /// Fills the outgoing buffer; false when there is nothing to send.
    private func produce() -> Bool {
        openWaiting()
        buffers.plaintext.removeAll(keepingCapacity: true)
        attempt { () throws(HTTP2Error) in
            try session.produce(into: &buffers.plaintext, upTo: Self.outputSize)
        }
        handle(session.takeEvents())
        guard phase != .closed, !buffers.plaintext.isEmpty else { return false }
        guard let tls else {
            buffers.sendPlaintext()
            return true
        }
        attemptTransport { () throws(GRPCTransportError) in
            let written = buffers.plaintext.withUnsafeBytes { bytes in
                Result { () throws(GRPCTransportError) in try tls.write(bytes) }
            }
            try written.get()
            tls.takeOutput(into: &buffers.unsent)
        }
        return phase != .closed
    }

    /// Sends the outgoing buffer; false when the socket is full or broken.
    private func flush() -> Bool {
        while buffers.sent < buffers.unsent.count {
            let count = sendOnce()
            guard count >= 0 else {
                if errno == EINTR { continue }
                if errno == EAGAIN {
                    watchWritable(true)
                } else {
                    close(.system(.connectionLost, "the connection to \(address) broke"))
                }
                return false
            }
            buffers.sent += count
        }
        buffers.unsent.removeAll(keepingCapacity: true)
        buffers.sent = 0
        if phase != .connecting { watchWritable(false) }
        return true
    }

    /// A last attempt, for the peer's sake, before the socket is closed.
    func flushOnce() {
        var farewell: [UInt8] = []
        tls?.takeOutput(into: &farewell)
        buffers.unsent += farewell
        guard buffers.sent < buffers.unsent.count else { return }
        _ = sendOnce()
    }

    // MSG_NOSIGNAL: a peer that is gone is an error, not a signal that ends the process.
    private func sendOnce() -> Int {
        buffers.unsent.withUnsafeBytes { bytes in
            send(
                descriptor,
                bytes.baseAddress?.advanced(by: buffers.sent),
                bytes.count - buffers.sent,
                Int32(MSG_NOSIGNAL)
            )
        }
    }

    private func watchWritable(_ wanted: Bool) {
        guard let watch, watchesWritable != wanted else { return }
        watchesWritable = wanted
        loop.change(watch, to: wanted ? [.readable, .writable] : .readable)
    }

    /// Everything was sent: closes when that is all there was to do.
    private func settle() {
        guard phase != .closed else { return }
        if let closeAfterFlush { return close(closeAfterFlush) }
        if session.queuedFrames > Self.maxQueuedFrames {
            return close(
                GRPCTransportError(
                    .protocolViolation,
                    "\(address) causes answers and does not read them"
                )
            )
        }
        guard session.isFinished else { return }
        close(
            unusable.current
                ?? GRPCTransportError(.connectionClosed, "the connection to \(address) is over")
        )
    }

    /// Runs something whose failure ends the connection.
    private func attemptTransport(_ action: () throws(GRPCTransportError) -> Void) {
        do {
            try action()
        } catch {
            flushOnce()
            close(error)
        }
    }
}
