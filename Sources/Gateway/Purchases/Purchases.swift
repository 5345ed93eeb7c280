import BridgeProtocol
package import BusClient
package import LightningTypes
package import Logging
package import OpenAIChat
import ServiceLifecycle

/// Every purchase of this gateway, and which request is meant for which.
///
/// What is kept here only saves questions. Names of submissions follow from requests
/// (``RetryIdentity``), so a gateway that was just started finds the jobs of the one before it in the
/// bridge.
package actor Purchases: Service {
    private enum Order: Sendable {
        case run(Purchase, PurchaseSteps.Start, KeyID, PurchaseSeries, UInt64)
        case cancel(BusJobKey)
        case stop
    }

    /// The purchases of a series that this process knows.
    private struct Line {
        /// How many there are, those of earlier processes included.
        var count: UInt64
        var held: [UInt64: Purchase] = [:]
    }

    private let client: BusClient
    private let steps: PurchaseSteps
    private let limits: PurchaseLimits
    private let routes: ModelRoutes
    private let sellers: SellerList
    private let clock: @Sendable () -> UnixTime
    /// The window in which this process was started: later ones have no purchases of another process.
    private let firstWindow: UInt64
    /// Who may have purchases in that window, too.
    private let predecessor: Predecessor

    private var lines: [PurchaseSeries: Line] = [:]
    /// Those in ``lines`` that have ended.
    private var ended = EndedPurchases()
    /// Windows with purchases that were forgotten before repetitions of them were over.
    private var thinned: Set<UInt64> = []
    private var opening: Set<Bytes32> = []
    private var waiting: [Bytes32: [CheckedContinuation<Void, Never>]] = [:]
    private var isStopping = false
    /// How many purchases are followed.
    package private(set) var underWay = 0

    private let orders: AsyncStream<Order>
    private let give: AsyncStream<Order>.Continuation

    /// How often waiting clients hear that nothing is new.
    private static let pulse = Duration.seconds(5)
    /// How many purchases of a series a repetition looks at.
    private static let lookback: UInt64 = 64
    /// How far beyond the end it looks: a crash may have kept one purchase and lost the one before.
    private static let lookahead: UInt64 = 8

    /// Takes what purchases need.
    package init(
        client: BusClient,
        keys: KeyRing,
        routes: ModelRoutes,
        limits: PurchaseLimits,
        logger: Logger,
        clock: @escaping @Sendable () -> UnixTime = { .ofSystem }
    ) {
        self.client = client
        self.limits = limits
        self.routes = routes
        self.clock = clock
        firstWindow = PurchaseSeries.window(at: clock())
        predecessor = Predecessor(client, upTo: firstWindow)
        sellers = SellerList(client)
        steps = PurchaseSteps(
            client: client,
            keys: keys,
            fees: FeeRules(client),
            limits: limits,
            logger: logger
        )
        (orders, give) = AsyncStream.makeStream()
    }

    /// What can be asked for now.
    ///
    /// - Throws: ``Refusal`` 503 when the bridge does not say.
    package func models() async throws -> [ModelList.Model] {
        routes.models(among: try await sellers.now())
    }

    // MARK: - Opening

    /// Finds the purchase that a request is meant for, or begins one.
    ///
    /// - Parameter request: What is wanted.
    /// - Returns: A place at the purchase.
    /// - Throws: ``Refusal``; nothing was bought then.
    package func open(_ request: PurchaseRequest) async throws -> PurchaseTicket {
        guard !isStopping else { throw Refusal.stopping }
        // Requests of one identity agree one by one on which purchase is whose.
        await enter(request.identity.base)
        defer { leave(request.identity.base) }
        do {
            var failed: NodeID?
            if request.identity.takesUp {
                switch try await earlier(request) {
                case .found(let ticket): return ticket
                case .failed(let peer): failed = peer
                case .nothing: break
                }
            }
            return try await begin(request, after: failed)
        } catch let error as BusClientError {
            throw Refusal(beforePayment: error)
        }
    }

    private func begin(
        _ request: PurchaseRequest,
        after failed: NodeID?
    ) async throws -> PurchaseTicket {
        guard underWay < limits.underWay else { throw Refusal.overloaded }
        let candidates = try routes.candidates(
            for: request.order.model,
            among: try await sellers.now(),
            after: failed
        )
        let series = request.identity.series(at: clock())[0]
        let number = try await count(series)
        let key = series.key(number)
        let asked = candidates.prefix(limits.isCheapest ? limits.comparedPeers : 1)
        let submissions = try asked.map { try request.submission(to: $0, as: key) }
        let start = PurchaseSteps.Start.buy(submissions, isNamed: request.identity.isNamed)
        return try place(request, start, series, number)
    }

    private func place(
        _ request: PurchaseRequest,
        _ start: PurchaseSteps.Start,
        _ series: PurchaseSeries,
        _ number: UInt64
    ) throws -> PurchaseTicket {
        let purchase = Purchase(key: series.key(number), body: request.identity.body) {
            [give] job in
            give.yield(.cancel(job))
        }
        guard let ticket = purchase.join() else { throw Refusal.defect }
        var line = lines[series] ?? Line(count: number)
        line.held[number] = purchase
        line.count = max(line.count, number + 1)
        lines[series] = line
        underWay += 1
        give.yield(.run(purchase, start, request.account, series, number))
        return ticket
    }

    /// How many purchases a series has; the bridge knows those of earlier processes.
    private func count(_ series: PurchaseSeries) async throws -> UInt64 {
        if let line = lines[series] { return line.count }
        if !isThinned(series) {
            if series.window > firstWindow { return 0 }
            if series.window == firstWindow, await !predecessor.mayHaveBought() { return 0 }
        }
        let count = try await PurchaseSeries.count { [client] number in
            do {
                return try await client.job(submittedAs: series.key(number)) != nil
            } catch let error as BusClientError where error.failure?.code == "job-pruned" {
                return true
            }
        }
        lines[series] = Line(count: count)
        return count
    }

    /// Whether the bridge may know purchases of a series that this process has made and forgotten.
    ///
    /// Of a window that goes on it knows at least how many there were.
    private func isThinned(_ series: PurchaseSeries) -> Bool {
        thinned.contains(series.window) && series.window < PurchaseSeries.window(at: clock())
    }

    // MARK: - Taking up

    private enum Earlier {
        case found(PurchaseTicket)
        /// The newest was not paid, by this peer's fault or not.
        case failed(NodeID?)
        case nothing
    }

    private func earlier(_ request: PurchaseRequest) async throws -> Earlier {
        var failed: NodeID?
        var shared: Purchase?
        for series in request.identity.series(at: clock()) {
            let count = try await count(series)
            let isKnown = count > 0 && lines[series]?.held[count - 1] != nil
            let isOurs = isKnown || (series.window > firstWindow && !isThinned(series))
            // A named purchase is repeated only when the one before it was not paid.
            let lookahead = request.identity.isNamed || isOurs ? 0 : Self.lookahead
            let lookback = request.identity.isNamed ? 1 : Self.lookback
            let numbers = (count - min(count, lookback))..<(count + lookahead)
            for number in numbers.reversed() {
                if let held = lines[series]?.held[number],
                    held.ending?.job?.view.stage != .unanswered
                {
                    guard await held.isResolved() else {
                        throw Refusal.unavailable(
                            "the bridge does not say what became of it",
                            "bridge_unavailable"
                        )
                    }
                    if request.identity.isNamed {
                        guard held.body == request.identity.body else {
                            throw Refusal.bodyOfAnother
                        }
                        if held.ending?.isUnpaid != true, let ticket = held.join() {
                            return .found(ticket)
                        }
                    } else {
                        switch held.claim(at: .now) {
                        case .wanted: if let ticket = held.join() { return .found(ticket) }
                        case .shared: shared = shared ?? held
                        case .none: break
                        }
                    }
                    failed = failed ?? held.peer
                } else if let ticket = try await takeUp(request, series, number) {
                    return .found(ticket)
                }
            }
        }
        if let ticket = shared?.join() { return .found(ticket) }
        return failed.map { .failed($0) } ?? .nothing
    }

    /// Takes up a purchase that this process does not hold; nil when it was not paid or is long over.
    private func takeUp(
        _ request: PurchaseRequest,
        _ series: PurchaseSeries,
        _ number: UInt64
    ) async throws -> PurchaseTicket? {
        let found: BusJob?
        do {
            found = try await client.job(submittedAs: series.key(number))
        } catch let error as BusClientError
            where error.failure?.code == "job-pruned" && !request.identity.isNamed
        {
            // So long over that it is not meant; a name is meant for ever.
            found = nil
        }
        guard let job = found else { return nil }
        guard job.view.stage != .failed, job.view.stage != .cancelled else { return nil }
        guard request.identity.isNamed else {
            let now = clock()
            let age = now.seconds - min(now.seconds, job.view.endedUnix)
            let memory = UInt64(clamping: Purchase.memory.components.seconds)
            let isFresh = job.view.endedUnix == 0 || age <= memory
            return isFresh ? try place(request, .follow(job), series, number) : nil
        }
        // The bridge compares the content, since the name does not depend on it.
        guard let peer = NodeID(job.key.peer) else { return nil }
        let candidate = ModelRoutes.Candidate(peer: peer, profile: job.view.profile)
        let submission = try request.submission(to: candidate, as: series.key(number))
        let known = try await client.submit(submission)
        return try place(request, .follow(known), series, number)
    }

    // MARK: - One after the other

    private func enter(_ base: Bytes32) async {
        while !opening.insert(base).inserted {
            await withCheckedContinuation { waiting[base, default: []].append($0) }
        }
    }

    private func leave(_ base: Bytes32) {
        opening.remove(base)
        for waiter in waiting.removeValue(forKey: base) ?? [] { waiter.resume() }
    }

    // MARK: - Running

    /// Buys and follows what was opened, until cancelled; what is paid goes on without.
    package func run() async throws {
        // Each step only hands on what the bridge has said.
        await withTaskExecutorPreference(client.executor) {
            await withDiscardingTaskGroup { group in
                group.addTask { _ = await self.predecessor.mayHaveBought() }
                group.addTask { await self.tick() }
                for await order in orders.cancelOnGracefulShutdown() { follow(order, &group) }
                group.cancelAll()
            }
        }
    }

    private func follow(_ order: Order, _ group: inout DiscardingTaskGroup) {
        switch order {
        case .run(let purchase, let start, let account, let series, let number):
            group.addTask {
                let ending = await self.steps.run(purchase, start, for: account)
                await self.finish(purchase, ending, series, number)
            }
        case .cancel(let job):
            group.addTask { await self.cancel(job) }
        case .stop:
            isStopping = true
            group.addTask {
                try? await Task.sleep(for: self.limits.drain)
                await self.interrupt()
            }
        }
    }

    /// Gives a job up that nobody waits for, as soon as the bridge is there to hear it.
    private nonisolated func cancel(_ job: BusJobKey) async {
        while !Task.isCancelled {
            do {
                _ = try await client.cancel(job)
                return
            } catch {
                // Told that it is too late, or the client is closed: nothing is left to do.
                guard let error = error as? BusClientError, error.code != .closed,
                    error.failure?.retryable ?? true
                else { return }
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    /// Begins nothing more, and after a while leaves alone what goes on.
    package nonisolated func stop() { give.yield(.stop) }

    private func interrupt() {
        for line in lines.values { for purchase in line.held.values { purchase.interrupt() } }
    }

    private func finish(
        _ purchase: Purchase,
        _ ending: PurchaseEnding?,
        _ series: PurchaseSeries,
        _ number: UInt64
    ) {
        underWay -= 1
        guard let ending else { return purchase.interrupt() }
        purchase.end(ending)
        guard let line = lines[series] else { return }
        guard !ending.isEnd else { return remember(.init(series: series, number: number)) }
        // What did not get to its end is for the bridge to tell when somebody asks again.
        lines[series]?.held[number] = nil
        // A number that no submission reached must not leave a gap in the series.
        if ending.job == nil, line.count == number + 1 { lines[series]?.count = number }
    }

    /// Keeps one that has ended for repetitions, and forgets the oldest beyond the limit: what became
    /// of them is for the bridge to tell.
    private func remember(_ place: EndedPurchases.Place) {
        ended.append(place)
        // Two for one: those that somebody waits for must stay, and must not pile up.
        for _ in 0..<2 where ended.count > limits.remembered {
            guard let oldest = ended.takeOldest(),
                let purchase = lines[oldest.series]?.held[oldest.number], purchase.ending != nil
            else { continue }
            if purchase.clients > 0 {
                ended.append(oldest)
            } else {
                lines[oldest.series]?.held[oldest.number] = nil
                thinned.insert(oldest.series.window)
            }
        }
    }

    private func tick() async {
        while (try? await Task.sleep(for: Self.pulse)) != nil { lookAround() }
    }

    /// Tells waiting clients that time has passed, and forgets what is long over.
    func lookAround() {
        let now = ContinuousClock.now
        let window = PurchaseSeries.window(at: clock())
        for (series, line) in lines {
            for (number, purchase) in line.held {
                purchase.tick()
                if purchase.isForgotten(at: now) { lines[series]?.held[number] = nil }
            }
            // The bridge can be asked again how many there were, but for a window that goes on.
            if lines[series]?.held.isEmpty == true, series.window < window {
                lines[series] = nil
            }
        }
        let oldest = window - min(window, RetryIdentity.windows)
        thinned = thinned.filter { $0 >= oldest }
    }
}
