import Glibc
package import GRPCCore
import LightningTypes

/// A simulated network at work: the pure model with a clock, random numbers, a log and open streams.
///
/// Decides nothing. Each call tells the model the time, makes the call, writes the changes down,
/// hands the news to the streams, and only then gives the result.
package actor World {
    /// News of one server stream, in order, until its end or the fault that breaks it.
    typealias News = AsyncThrowingStream<Delivery, any Error>

    private var network: SimulatedNetwork
    /// Nil once the network is at its end.
    private var log: NetworkLog?
    private var isOver = false
    private var random: NetworkRandom
    private let clock: @Sendable () -> NetworkTime
    /// How far an operator has put the clock forward, in seconds.
    private var secondsAhead: UInt64 = 0

    private var streams: [SubscriptionID: News.Continuation] = [:]
    private var phaseWatchers: [NodeHandle: AsyncStream<NodePhase>.Continuation] = [:]
    private var admissions: Set<Admission> = []
    private var calls: [NodeHandle: [String: UInt64]] = [:]
    private var alarm: (time: NetworkTime, task: Task<Void, Never>)?

    /// Opens the network kept in a directory, or an empty one.
    ///
    /// - Parameters:
    ///   - directory: An existing directory, locked until the process ends.
    ///   - seed: Makes keys, preimages and nonces repeatable; nil draws them from the system.
    ///   - clock: The current time.
    /// - Throws: ``SimnetError`` when the directory is in use, damaged or can't be written.
    package init(
        directory: String,
        seed: UInt64?,
        clock: @escaping @Sendable () -> NetworkTime = systemTime
    ) throws(SimnetError) {
        var network = SimulatedNetwork(now: clock())
        var formerLength = 0
        log = try NetworkLog.begin(in: directory) { changes, length in
            network = SimulatedNetwork(replaying: changes, now: clock())
            formerLength = length
            return network.snapshot
        }
        self.network = network
        // After a restart under a seed the numbers must not come again from the start.
        random = NetworkRandom(
            seed: seed.map { $0 &+ UInt64(formerLength) &* 0x9e37_79b9_7f4a_7c15 }
        )
        self.clock = clock
    }

    deinit {
        alarm?.task.cancel()
    }

    /// Ends the network in this process and gives its directory free; later calls are refused.
    func end() {
        isOver = true
        log = nil
        alarm?.task.cancel()
        for stream in streams.values { stream.finish(throwing: LndFault.unavailable) }
        streams = [:]
    }

    /// Makes one call on the model.
    ///
    /// - Parameter body: The call.
    /// - Returns: The call's result, once its changes are written and its news handed over.
    /// - Throws: The call's refusal.
    func call<Result: Sendable>(
        _ body: @Sendable (inout SimulatedNetwork) throws(LndFault) -> Result
    ) throws(LndFault) -> Result {
        if isOver { throw .unavailable }
        network.advance(to: time)
        // A refused call may have changed something too: an oversized message costs a connection.
        defer { publish() }
        return try body(&network)
    }

    /// Makes a call that needs random bytes.
    func call<Result: Sendable>(
        _ body: @Sendable (inout SimulatedNetwork, inout NetworkRandom) throws(LndFault) -> Result
    ) throws(LndFault) -> Result {
        if isOver { throw .unavailable }
        network.advance(to: time)
        defer { publish() }
        return try body(&network, &random)
    }

    /// Makes a call that can't be refused.
    func callFreely<Result: Sendable>(
        _ body: @Sendable (inout SimulatedNetwork) -> Result
    ) -> Result {
        network.advance(to: time)
        defer { publish() }
        return body(&network)
    }

    /// Makes a call that can't be refused and needs random bytes.
    func callFreely<Result: Sendable>(
        _ body: @Sendable (inout SimulatedNetwork, inout NetworkRandom) -> Result
    ) -> Result {
        network.advance(to: time)
        defer { publish() }
        return body(&network, &random)
    }

    /// Makes a call that opens a server stream.
    ///
    /// - Parameter body: The call.
    /// - Returns: The stream's ID, for ``close(_:)``, and its news from the first on.
    /// - Throws: The call's refusal.
    func subscribe(
        _ body: @Sendable (inout SimulatedNetwork) throws(LndFault) -> SubscriptionID
    ) throws(LndFault) -> (SubscriptionID, News) {
        if isOver { throw .unavailable }
        network.advance(to: time)
        defer { publish() }
        let id = try body(&network)
        // Unbounded, as lnd's own queues are: a slow reader costs memory, never a message.
        let (news, continuation) = News.makeStream()
        streams[id] = continuation
        return (id, news)
    }

    /// Sends a custom message.
    ///
    /// - Parameter body: The call.
    /// - Returns: What became of it; when it waits, the news that end with the call.
    /// - Throws: The call's refusal.
    func send(
        _ body: @Sendable (inout SimulatedNetwork) throws(LndFault) -> Sending
    ) throws(LndFault) -> (Sending, News?) {
        if isOver { throw .unavailable }
        network.advance(to: time)
        defer { publish() }
        let sending = try body(&network)
        guard case .waiting(let id) = sending else { return (sending, nil) }
        let (news, continuation) = News.makeStream()
        streams[id] = continuation
        return (sending, news)
    }

    /// Ends a stream whose caller is gone.
    func close(_ id: SubscriptionID) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        stream.finish()
        network.advance(to: time)
        network.close(id)
        publish()
    }

    /// A node's identity.
    func record(of node: NodeHandle) -> NodeRecord { network.record(of: node) }

    /// How far a node has come up.
    func phase(of node: NodeHandle) -> NodePhase { network.phase(of: node) }

    /// Random bytes for one invoice.
    func entropy() -> InvoiceEntropy {
        InvoiceEntropy(preimage: random.bytes32(), secret: random.bytes32())
    }

    /// The network's time.
    var time: NetworkTime { clock().advanced(bySeconds: secondsAhead) }

    /// Puts the clock forward and does what has become due.
    func advance(bySeconds seconds: UInt64) {
        secondsAhead = secondsAhead.addingClamped(seconds)
        network.advance(to: time)
        publish()
    }

    // MARK: - Admission

    /// Counts a call and checks it as lnd's interceptors do: the wallet's state, then the macaroon.
    func admit(_ macaroons: [String], to method: String, on node: NodeHandle) throws(LndFault) {
        calls[node, default: [:]][method, default: 0] += 1
        guard !Permissions.free.contains(method) else { return }
        try network.checkServing(node)
        let admission = Admission(node: node, method: method, macaroons: macaroons)
        guard !admissions.contains(admission) else { return }
        if try network.authorize(macaroons, method: method, now: time, on: node) {
            // A macaroon once good stays good, as no root key is ever deleted. Anyone can derive
            // any number of macaroons from one, so the memory is bounded.
            if admissions.count >= 1000 { admissions.removeAll() }
            admissions.insert(admission)
        }
    }

    private struct Admission: Hashable {
        let node: NodeHandle
        let method: String
        let macaroons: [String]
    }

    /// How often each method of each node was called.
    var allCalls: [NodeHandle: [String: UInt64]] { calls }

    // MARK: - Phases

    /// The phases of a node from now on, beginning with the present one; the newest counts.
    func phases(of node: NodeHandle) -> AsyncStream<NodePhase> {
        let (phases, continuation) = AsyncStream<NodePhase>.makeStream(
            bufferingPolicy: .bufferingNewest(1)
        )
        continuation.yield(network.phase(of: node))
        phaseWatchers[node] = continuation
        return phases
    }

    // MARK: - Output

    private func publish() {
        let output = network.takeOutput()
        if !output.changes.isEmpty { log?.append(output.changes) }
        for event in output.events {
            switch event {
            case .deliver(let id, let delivery): streams[id]?.yield(delivery)
            case .end(let id, let fault): streams.removeValue(forKey: id)?.finish(throwing: fault)
            case .phase(let node, let phase): phaseWatchers[node]?.yield(phase)
            }
        }
        setAlarm()
    }

    /// Sleeps until the model wants to be told the time, unless it does so already.
    private func setAlarm() {
        guard !isOver, let due = network.wakeAt else { return }
        if let alarm, alarm.time <= due, !alarm.task.isCancelled { return }
        alarm?.task.cancel()
        let now = time
        let delay = due > now ? due.nanoseconds - now.nanoseconds : 0
        // Clocks are set and put forward, so nobody sleeps longer than a minute in one go.
        let nap = Duration.nanoseconds(Int64(min(delay, 60_000_000_000)))
        let task = Task { [weak self] in
            do { try await Task.sleep(for: nap) } catch { return }
            await self?.ring()
        }
        alarm = (due, task)
    }

    private func ring() {
        guard !isOver else { return }
        alarm = nil
        network.advance(to: time)
        publish()
    }
}

/// The system's time of day.
package func systemTime() -> NetworkTime {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return NetworkTime(
        nanoseconds: UInt64(max(0, time.tv_sec)) * 1_000_000_000 + UInt64(time.tv_nsec)
    )
}

extension LndFault: RPCErrorConvertible {
    /// The gRPC status.
    package var rpcErrorCode: RPCError.Code {
        Status.Code(rawValue: code).flatMap { RPCError.Code($0) } ?? .unknown
    }

    /// The text.
    package var rpcErrorMessage: String { text }
}
