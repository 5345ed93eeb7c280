import BridgeProtocol
import BusClient

/// What `lcp top` knows: the newest figures, and what it saw of jobs since it began; pure.
struct TopModel: Sendable {
    /// Something that went wrong with a job.
    struct Mishap: Sendable, Equatable {
        var unix: UInt64
        var text: String
    }

    /// The newest figures; nil before the first.
    var figures: BridgeFigures?
    /// Whether the bridge is heard.
    var link = BridgeLink.unknown
    /// How many jobs ended, by how.
    private(set) var ended: [BusJobStage: Int] = [:]
    /// What went wrong last, newest first.
    private(set) var mishaps: [Mishap] = []

    /// When each open job was seen first.
    private var begun: [BusJobKey: ContinuousClock.Instant] = [:]
    /// The jobs that ended in the last minute, oldest first; nil for one that was seen only then.
    private var latencies: [(at: ContinuousClock.Instant, took: Duration?)] = []
    /// The ends that were told already: a watch may say things twice.
    private var told: Set<BusJobKey> = []

    /// What ended earlier is not counted, in seconds since 1970.
    private let since: UInt64

    /// No more is remembered than this.
    private static let limit = 10_000
    private static let window = Duration.seconds(60)

    init(since: UInt64) { self.since = since }

    /// Takes a state of a job.
    mutating func take(_ job: BusJob, at now: ContinuousClock.Instant) {
        guard job.view.stage.isEnd else {
            if begun.count < Self.limit, begun[job.key] == nil { begun[job.key] = now }
            told.remove(job.key)
            return
        }
        // A watch begins with what there is, and repeats it now and then.
        let ended = max(job.view.endedUnix, job.changedUnix, job.createdUnix)
        guard ended >= since || begun[job.key] != nil else { return }
        if told.count >= Self.limit { told.removeAll() }
        guard told.insert(job.key).inserted else { return }
        self.ended[job.view.stage, default: 0] += 1
        if job.view.stage != .done, job.view.stage != .cancelled { note(job) }
        latencies.append((now, begun.removeValue(forKey: job.key).map { $0.duration(to: now) }))
        if latencies.count > Self.limit { latencies.removeFirst() }
    }

    private mutating func note(_ job: BusJob) {
        let why = job.view.failure
        let reason = [why.code, why.detail].filter { !$0.isEmpty }.joined(separator: ": ")
        mishaps.insert(
            Mishap(
                unix: max(job.view.endedUnix, job.changedUnix, job.createdUnix),
                text: "\(job.key.role.label) \(job.view.profile) \(job.view.stage.label) \(reason)"
            ),
            at: 0
        )
        if mishaps.count > 50 { mishaps.removeLast() }
    }

    /// Jobs a second that ended in the last minute, in hundredths, and how long they took.
    mutating func pace(
        at now: ContinuousClock.Instant
    ) -> (hundredths: Int, median: Duration?, slow: Duration?) {
        latencies.removeAll { $0.at.duration(to: now) > Self.window }
        let sorted = latencies.compactMap(\.took).sorted()
        let median = sorted.isEmpty ? nil : sorted[sorted.count / 2]
        let slow = sorted.isEmpty ? nil : sorted[min(sorted.count - 1, sorted.count * 95 / 100)]
        return (latencies.count * 100 / 60, median, slow)
    }
}
