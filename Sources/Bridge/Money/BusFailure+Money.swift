package import BridgeProtocol
package import Journal
import LndRPC

extension BusFailure: Error {}

extension BusFailure {
    /// The code of a refusal that is about time alone.
    static let tooLate = "too-late"

    /// Takes a stable code, what happened, and what to do about it.
    init(_ code: String, _ detail: String, _ advice: String, isRetryable: Bool = false) {
        self.init()
        self.code = code
        self.detail = detail
        self.advice = advice
        retryable = isRetryable
    }

    /// What lnd says against a call.
    init(_ error: LndError) {
        self.init("lnd-\(Self.label(error.code.rawValue))", error.detail, error.advice)
    }

    /// Why the journal would not commit the intent to pay.
    ///
    /// Nil when the intent is not at fault: another step was faster, or the disk failed.
    package init?(refusing error: JournalError) {
        let code: String
        switch error.code {
        case .paymentRefused: code = error.refusal?.code ?? "payment-refused"
        case .alreadyPaying, .paymentHashTaken, .notReconciled:
            code = Self.label(error.code.rawValue)
        case .lockedByAnotherProcess, .newerSchema, .notAJournal, .otherJournal,
            .durabilityRefused, .pathUnusable, .staleVersion, .unknown, .invalidStep,
            .clientKeyTaken,
            .contradictsRecord, .replayed, .quotaExceeded, .notFinished, .overloaded, .diskFull,
            .damaged, .ioFailed, .closed, .cancelled:
            return nil
        }
        self.init(code, error.refusal?.reason ?? error.detail, error.advice)
    }

    /// `paymentHashTaken` as `payment-hash-taken`.
    private static func label(_ name: String) -> String {
        var label = ""
        for character in name {
            if character.isUppercase { label += "-" }
            label += character.lowercased()
        }
        return label
    }
}

extension BusPaymentFailed {
    /// Tells a worker that its order to pay was refused, and nothing was sent.
    ///
    /// - Parameters:
    ///   - pay: The worker's order.
    ///   - failure: The rule, from ``MoneyRules`` or the journal.
    package init(refusing pay: BusPay, _ failure: BusFailure) {
        self.init()
        paymentHash = pay.paymentHash
        cause = failure.code == BusFailure.tooLate ? .tooLate : .refused
        self.failure = failure
    }
}
