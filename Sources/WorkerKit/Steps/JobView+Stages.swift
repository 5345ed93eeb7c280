import BridgeProtocol
import LightningTypes

extension JobRecord {
    /// Shows that a stage is reached, and keeps the time at which it first was.
    mutating func reach(_ stage: BusJobStage, _ failure: BusFailure? = nil, at now: UnixTime) {
        let isNew = view.stage != stage
        view.stage = stage
        if let failure { view.failure = failure } else { view.clearFailure() }
        if stage.isQuoted, view.quotedUnix == 0 { view.quotedUnix = now.seconds }
        if stage.isPaid, view.paidUnix == 0 { view.paidUnix = now.seconds }
        if !stage.isEnd {
            view.endedUnix = 0
        } else if isNew || view.endedUnix == 0 {
            view.endedUnix = now.seconds
        }
    }
}

extension BusJobStage {
    /// Whether a quote was there.
    fileprivate var isQuoted: Bool { self == .quoted || self == .paying || isPaid }

    /// Whether money has moved.
    fileprivate var isPaid: Bool {
        switch self {
        case .running, .done, .unanswered, .paidFailed: true
        case .unspecified, .quoting, .quoted, .paying, .failed, .cancelled, .UNRECOGNIZED: false
        }
    }

    /// Whether a client has nothing more to wait for.
    fileprivate var isEnd: Bool {
        switch self {
        case .done, .failed, .cancelled, .unanswered, .paidFailed: true
        case .unspecified, .quoting, .quoted, .paying, .running, .UNRECOGNIZED: false
        }
    }
}
