import BridgeProtocol
import LightningTypes

/// How the jobs of a load ended, and how long they took.
struct LoadTally: Sendable {
    /// Jobs that were begun.
    private(set) var begun = 0
    /// Jobs that ended as they should.
    private(set) var ok = 0
    /// Jobs that ended otherwise, for the reasons below.
    private(set) var failed = 0
    /// Jobs that were paid and not answered by their deadline.
    private(set) var unanswered = 0
    /// Why jobs failed, as short labels with their number.
    private(set) var reasons: [String: Int] = [:]
    /// What the jobs cost, routing fees apart.
    private(set) var spent = MilliSatoshi.zero
    /// What routing cost.
    private(set) var fees = MilliSatoshi.zero
    /// How long the jobs took that ended as they should.
    private(set) var total = LatencyHistogram()
    /// The parts of that.
    private(set) var parts: [LoadPart: LatencyHistogram] = [:]

    /// Jobs whose end is known.
    var ended: Int { ok + failed + unanswered }

    /// Jobs that are not followed to their end, once nothing runs any more: because of a signal, or
    /// because their time was over.
    var left: Int { begun - ended }

    /// Takes a job's begin in.
    mutating func begin() { begun += 1 }

    /// Takes a job's end in.
    mutating func count(_ end: LoadEnd, _ timeline: JobTimeline) {
        switch end {
        case .ok:
            ok += 1
            total.record(timeline.total)
            for (part, took) in timeline.parts { parts[part, default: .init()].record(took) }
        case .failed(let reason):
            failed += 1
            reasons[reason, default: 0] += 1
        case .unanswered: unanswered += 1
        case .left: break
        }
    }

    /// Takes in what a job cost.
    mutating func count(price: MilliSatoshi, fee: MilliSatoshi) {
        spent = spent.adding(price) ?? spent
        fees = fees.adding(fee) ?? fees
    }
}

/// How one job of a load ended.
enum LoadEnd: Equatable, Sendable {
    /// As it should.
    case ok
    /// Otherwise; why, as a short label.
    case failed(String)
    /// Paid, and not answered by the deadline.
    case unanswered
    /// Not yet, and nobody follows it any more.
    case left
}
