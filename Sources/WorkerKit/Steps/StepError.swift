/// Why a worker could not take a step.
///
/// Never what a peer or a client did: that is data, and has an effect or an ending of its own. The
/// item counts as failed and goes to another worker; after three the bridge parks the job.
package struct StepError: Error, Equatable, Sendable {
    /// What kind of trouble it is; a stable label.
    package enum Code: String, Sendable {
        /// The bridge sent an item that breaks the bus's own rules.
        case itemMalformed = "item-malformed"
        /// The item holds an event this worker does not know.
        case eventUnknown = "event-unknown"
        /// The state was written in a newer format, or holds what this worker does not know.
        case stateNewer = "state-newer"
        /// The state is not what any worker of ours writes.
        case stateUnreadable = "state-unreadable"
        /// A quote can't be checked, because lnd has not said which network it is on.
        case networkUnknown = "network-unknown"
        /// The job's state or an effect it asks for can't be written.
        case unwritable
    }

    /// What kind of trouble it is.
    package var code: Code
    /// What happened; names fields and sizes, never contents.
    package var detail: String

    /// Makes an error.
    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    /// What the operator can do about it.
    package var advice: String {
        switch code {
        case .itemMalformed, .eventUnknown: "Update this worker to the bridge's version."
        case .stateNewer:
            "Another worker has written it: update this one, then `lcp` can retry the job."
        case .stateUnreadable:
            "Restore the journal from a backup, or report a bug with the job's id."
        case .networkUnknown: "Wait until the bridge has reached lnd, then retry the job."
        case .unwritable: "Report a bug with the job's id."
        }
    }
}

extension StepError {
    /// The same in the run loop's words.
    var workFailure: WorkFailure {
        WorkFailure(code.rawValue, detail, advice: advice, isRetryable: isRetryable)
    }

    /// Whether another worker, or the same one later, may do better.
    private var isRetryable: Bool {
        switch code {
        case .itemMalformed, .eventUnknown, .stateNewer, .networkUnknown: true
        case .stateUnreadable, .unwritable: false
        }
    }
}

extension StepError: CustomStringConvertible {
    /// Label, detail and advice in one line.
    package var description: String { "\(code.rawValue): \(detail). \(advice)" }
}
