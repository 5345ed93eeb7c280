import CZeroMQ

/// Answers libzmq's question whether a client's key is let in (ZAP, RFC 27 of ZeroMQ).
///
/// Each socket has a domain of its own, so that a key admitted to one endpoint is not thereby
/// admitted to another.
struct ZAPHandler: ~Copyable {
    private let socket: Socket
    private var space = ReceivingSpace()
    private var policies: [String: @Sendable (CurvePublicKey) -> Bool] = [:]

    init(in context: ContextPointer) throws(ZeroMQError) {
        guard zmq_has("curve") == 1 else {
            throw ZeroMQError(.curveUnusable, "this libzmq was built without CURVE")
        }
        let socket = try Socket(.router, in: context)
        try socket.set(ZMQ_LINGER, 0)
        try socket.bind("inproc://zeromq.zap.01")
        descriptor = try socket.number(ZMQ_FD)
        self.socket = socket
    }

    /// Becomes readable when requests have come.
    let descriptor: Int32

    mutating func admit(in domain: String, by policy: @escaping @Sendable (CurvePublicKey) -> Bool)
    {
        policies[domain] = policy
    }

    mutating func forget(_ domain: String) { policies[domain] = nil }

    /// Answers all requests that are there.
    ///
    /// - Returns: Whether there was one.
    mutating func serve() -> Bool {
        var isBusy = false
        while let request = next() {
            isBusy = true
            guard let answer = answer(request) else { continue }
            for (index, frame) in answer.enumerated() {
                // The asking side lives in this process; if it has gone, nobody needs the answer.
                guard (try? socket.send(frame, more: index + 1 < answer.count)) == true else {
                    break
                }
            }
        }
        return isBusy
    }

    private mutating func next() -> [Frame]? {
        var frames: [Frame] = []
        while let frame = try? socket.receive(into: &space) {
            let more = frame.hasMore
            frames.append(Frame(frame))
            if !more { return frames }
        }
        return nil
    }

    /// Routing ID, empty, version, request id, domain, address, identity, mechanism, key.
    private func answer(_ request: [Frame]) -> [Frame]? {
        guard request.count >= 8, request[2].text == "1.0" else { return nil }
        var user = ""
        if request.count == 9,
            request[7].text == "CURVE",
            let key = CurvePublicKey(bytes: request[8].bytes),
            let domain = request[4].text,
            let policy = policies[domain],
            policy(key)
        {
            user = key.description
        }
        let status = user.isEmpty ? ("400", "not admitted") : ("200", "OK")
        return [request[0], request[1], request[2], request[3]]
            + [status.0, status.1, user, ""].map { Frame($0) }
    }
}
