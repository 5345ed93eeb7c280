/// What the handlers of a server have seen, and those who wait to see it.
actor Book {
    enum Event: Hashable {
        case opened(String), cancelled(String), released(String), written(String), served
    }

    private typealias Waiter = (count: Int, continuation: CheckedContinuation<Void, Never>)

    private var counts: [Event: Int] = [:]
    private var waiters: [Event: [Waiter]] = [:]

    func count(of event: Event) -> Int { counts[event, default: 0] }

    func note(_ event: Event) {
        let count = counts[event, default: 0] + 1
        counts[event] = count
        guard let waiting = waiters[event] else { return }
        waiters[event] = waiting.filter { $0.count > count }
        for waiter in waiting where waiter.count <= count { waiter.continuation.resume() }
    }

    /// Waits until something has happened so often.
    func until(_ event: Event, count: Int = 1) async {
        guard counts[event, default: 0] < count else { return }
        await withCheckedContinuation { waiters[event, default: []].append((count, $0)) }
    }
}
