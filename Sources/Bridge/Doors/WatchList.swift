import Journal

/// Which watches there are, and of which jobs.
struct WatchList: Sendable {
    /// One WatchJobs request.
    struct Watch: Hashable, Sendable {
        var caller: RequestDoor.Caller
        var request: UInt64
    }

    private struct Entry {
        /// Nil means every job.
        var jobs: Set<JobKey>?
        /// Counted from the first watch on.
        var number: UInt64

        func covers(_ key: JobKey) -> Bool { jobs?.contains(key) ?? true }
    }

    private let maximum: Int
    private var entries: [Watch: Entry] = [:]
    private var last: UInt64 = 0
    /// How many were ended without being asked to.
    private(set) var dropped: UInt64 = 0

    /// Begins an empty list.
    ///
    /// - Parameter maximum: The most watches of all clients together.
    init(maximum: Int) { self.maximum = maximum }

    /// How many there are.
    var count: Int { entries.count }

    /// Adds a watch, or says anew what it is of; where there are too many an older one makes room.
    mutating func add(_ watch: Watch, jobs: Set<JobKey>?) {
        if entries[watch] == nil, entries.count >= maximum { makeRoom() }
        last += 1
        entries[watch] = Entry(jobs: jobs, number: last)
    }

    /// Ends a watch that its client wants no more.
    mutating func remove(_ watch: Watch) { entries[watch] = nil }

    /// Ends a watch whose client does not take what it gets.
    mutating func drop(_ watch: Watch) {
        if entries.removeValue(forKey: watch) != nil { dropped += 1 }
    }

    /// Whether anybody watches a job.
    func isWatched(_ key: JobKey) -> Bool { entries.values.contains { $0.covers(key) } }

    /// The watches of a job.
    func watches(of key: JobKey) -> [Watch] {
        entries.filter { $0.value.covers(key) }.map(\.key)
    }

    /// Ends the oldest watch of whoever has the most: clients that died leave theirs behind, and nobody
    /// takes the place of all others.
    private mutating func makeRoom() {
        var counts: [RequestDoor.Caller: Int] = [:]
        for watch in entries.keys { counts[watch.caller, default: 0] += 1 }
        let most = counts.values.max()
        let oldest = entries.filter { counts[$0.key.caller] == most }
            .min { $0.value.number < $1.value.number }
        if let oldest { drop(oldest.key) }
    }
}
