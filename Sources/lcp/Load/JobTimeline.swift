import BridgeProtocol

/// A part of a job's way as its buyer sees it; the parts add up to the whole.
enum LoadPart: String, CaseIterable, Sendable {
    /// From the submission until a quote is there, its checks included.
    case quote
    /// From the quote until the payment has succeeded.
    case pay
    /// From the payment until the answer is at the buyer's bridge: the computation and its way here.
    case execute
    /// From there until the answer's contents are in the client's hands.
    case deliver
}

/// When a job passed the ends of its parts, as this process saw it.
///
/// Of several stages that follow each other at once a watch tells the last alone: a part that passed
/// unseen counts as no time, and the next one has it all.
struct JobTimeline: Sendable {
    private let start: ContinuousClock.Instant
    private var ends: [LoadPart: ContinuousClock.Instant] = [:]

    /// Begins with the submission.
    init(start: ContinuousClock.Instant = .now) { self.start = start }

    /// Takes note of a stage.
    mutating func note(_ stage: BusJobStage, at now: ContinuousClock.Instant = .now) {
        switch stage {
        case .quoted, .paying: end(.quote, now)
        case .running: for part in [LoadPart.quote, .pay] { end(part, now) }
        case .done, .failed, .cancelled, .unanswered, .paidFailed:
            for part in [LoadPart.quote, .pay, .execute] { end(part, now) }
        case .quoting, .unspecified, .UNRECOGNIZED: break
        }
    }

    /// Takes note that the contents are here.
    mutating func noteDelivery(at now: ContinuousClock.Instant = .now) { end(.deliver, now) }

    /// How long each part took that has ended.
    var parts: [(part: LoadPart, took: Duration)] {
        var last = start
        return LoadPart.allCases.compactMap { part in
            guard let end = ends[part] else { return nil }
            defer { last = end }
            return (part, end - last)
        }
    }

    /// How long all of them took together.
    var total: Duration { parts.reduce(.zero) { $0 + $1.took } }

    private mutating func end(_ part: LoadPart, _ now: ContinuousClock.Instant) {
        if ends[part] == nil { ends[part] = now }
    }
}
