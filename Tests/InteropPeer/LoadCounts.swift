/// How the calls of a load ended.
actor LoadCounts {
    private var counts: [Int: Int] = [:]
    private(set) var isStopped = false
    private var hasEnded = false
    private var stoppers: [CheckedContinuation<Void, Never>] = []
    private var waiters: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []

    /// By the number of the status, as text.
    private var numbers: [String: Int] {
        Dictionary(uniqueKeysWithValues: counts.map { ("\($0.key)", $0.value) })
    }

    /// Lets no more calls begin, and waits until the last has ended.
    func stop() async -> [String: Int] {
        isStopped = true
        if !hasEnded { await withCheckedContinuation { stoppers.append($0) } }
        return numbers
    }

    /// The last call has ended.
    func ended() {
        hasEnded = true
        for stopper in stoppers { stopper.resume() }
        stoppers = []
    }

    func note(_ code: Int) {
        counts[code, default: 0] += 1
        let successes = counts[0, default: 0]
        let reached = waiters.filter { $0.count <= successes }
        waiters.removeAll { $0.count <= successes }
        for waiter in reached { waiter.continuation.resume() }
    }

    /// Waits for so many successes.
    func until(_ count: Int) async -> [String: Int] {
        if counts[0, default: 0] < count {
            await withCheckedContinuation { waiters.append((count, $0)) }
        }
        return numbers
    }
}
