/// Names one scheduled timer.
struct TimerID: Hashable, Sendable {
    fileprivate var number: UInt64
}

/// Pending timers, earliest first; cancelling is cheap and leaves nothing behind for long.
struct TimerHeap {
    typealias Action = @Sendable () -> Void

    private struct Entry {
        var deadline: ContinuousClock.Instant
        var number: UInt64
    }

    private var heap: [Entry] = []
    private var actions: [UInt64: Action] = [:]
    private var lastNumber: UInt64 = 0

    /// How many entries are held, cancelled ones included.
    var size: Int { heap.count }

    /// Whether no timer is pending.
    var isEmpty: Bool { actions.isEmpty }

    mutating func add(_ deadline: ContinuousClock.Instant, _ action: @escaping Action) -> TimerID {
        lastNumber += 1
        actions[lastNumber] = action
        heap.append(Entry(deadline: deadline, number: lastNumber))
        siftUp(heap.count - 1)
        return TimerID(number: lastNumber)
    }

    mutating func cancel(_ timer: TimerID) {
        guard actions.removeValue(forKey: timer.number) != nil else { return }
        // Cancelled entries wait for their deadline, hours for some; keep them below one half.
        guard heap.count > 64, heap.count > 2 * actions.count else { return }
        heap.removeAll { actions[$0.number] == nil }
        heap.sort { $0.deadline < $1.deadline }
    }

    /// When the earliest timer is due.
    mutating func earliest() -> ContinuousClock.Instant? {
        while let first = heap.first {
            if actions[first.number] != nil { return first.deadline }
            removeFirst()
        }
        return nil
    }

    /// Removes the timers that are due and returns what they do, earliest first.
    mutating func due(at now: ContinuousClock.Instant) -> [Action] {
        var due: [Action] = []
        while let first = heap.first, first.deadline <= now {
            removeFirst()
            if let action = actions.removeValue(forKey: first.number) { due.append(action) }
        }
        return due
    }

    private mutating func removeFirst() {
        let last = heap.removeLast()
        guard !heap.isEmpty else { return }
        heap[0] = last
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2]
            where child < heap.count && heap[child].deadline < heap[least].deadline {
                least = child
            }
            guard least != index else { return }
            heap.swapAt(index, least)
            index = least
        }
    }

    private mutating func siftUp(_ start: Int) {
        var index = start
        while index > 0, heap[index].deadline < heap[(index - 1) / 2].deadline {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }
}
