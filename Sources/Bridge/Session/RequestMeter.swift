import LightningTypes

/// How many quotes each peer asked for in the last 60 seconds, in bounded memory.
struct RequestMeter: Sendable {
    private struct Second: Sendable {
        var time: UInt64
        var count: UInt32
    }

    private let limit: Int
    private var seconds: [NodeID: [Second]] = [:]

    /// Counts for at most `limit` peers; the requests of further ones count as none.
    init(limit: Int) { self.limit = limit }

    /// Counts a request.
    mutating func count(_ peer: NodeID, at now: UnixTime) {
        if seconds[peer] == nil, seconds.count >= limit {
            seconds = seconds.filter { _, counts in
                counts.contains { Self.isRecent($0.time, at: now) }
            }
            guard seconds.count < limit else { return }
        }
        var counts = seconds[peer, default: []].filter { Self.isRecent($0.time, at: now) }
        if let last = counts.last, last.time == now.seconds {
            counts[counts.count - 1].count &+= 1
        } else {
            counts.append(Second(time: now.seconds, count: 1))
        }
        seconds[peer] = counts
    }

    /// What a peer asked for in the 60 seconds up to now.
    func requests(of peer: NodeID, at now: UnixTime) -> UInt32 {
        (seconds[peer] ?? [])
            .filter { Self.isRecent($0.time, at: now) }
            .reduce(0) { $0 &+ $1.count }
    }

    /// Also false for what a clock that was put back shows as the future: 60 entries at most.
    private static func isRecent(_ time: UInt64, at now: UnixTime) -> Bool {
        time <= now.seconds && now.seconds - time < 60
    }
}
