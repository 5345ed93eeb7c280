/// The orders of one capability that wait for a worker, the oldest first.
struct OrderQueue: Sendable {
    /// One waiting order.
    struct Entry: Sendable {
        let sequence: UInt64
        let order: UInt64
        var isGone = false
    }

    /// Orders that came back from a worker, by sequence; few, and older than all fresh ones.
    private(set) var returned: [Entry] = []
    // Taken from the front and rarely from within: what is gone is swept when it is the half.
    private var fresh: [Entry] = []
    private var head = 0
    private var goneInside = 0

    var isEmpty: Bool { returned.isEmpty && freshCount == 0 }

    private var freshCount: Int { fresh.count - head - goneInside }

    /// The oldest order that was never handed out.
    var firstFresh: Entry? { freshCount == 0 ? nil : fresh[head] }

    /// Adds a new order; sequences ascend from call to call.
    mutating func append(_ order: UInt64, sequence: UInt64) {
        fresh.append(Entry(sequence: sequence, order: order))
    }

    /// Puts an order back that a worker had.
    mutating func putBack(_ order: UInt64, sequence: UInt64) {
        let index = Self.index(of: sequence, in: returned[...])
        returned.insert(Entry(sequence: sequence, order: order), at: index)
    }

    mutating func remove(sequence: UInt64) {
        let place = Self.index(of: sequence, in: returned[...])
        if place < returned.count, returned[place].sequence == sequence {
            returned.remove(at: place)
            return
        }
        let index = Self.index(of: sequence, in: fresh[head...])
        guard index < fresh.count, fresh[index].sequence == sequence, !fresh[index].isGone else {
            return
        }
        fresh[index].isGone = true
        goneInside += 1
        while head < fresh.count, fresh[head].isGone {
            head += 1
            goneInside -= 1
        }
        let spare = head + goneInside
        guard spare > 64, spare * 2 > fresh.count else { return }
        fresh = fresh[head...].filter { !$0.isGone }
        head = 0
        goneInside = 0
    }

    private static func index(of sequence: UInt64, in entries: ArraySlice<Entry>) -> Int {
        var (low, high) = (entries.startIndex, entries.endIndex)
        while low < high {
            let middle = low + (high - low) / 2
            if entries[middle].sequence < sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
