package import BridgeProtocol
import FoundationEssentials
package import Journal
package import LightningTypes
import LndRPC

/// News of one payment.
///
/// May come more than once; ``fact`` and ``event`` belong into one commit.
package struct PaymentOutcome: Sendable {
    /// What is known now.
    package enum Result: Equatable, Sendable {
        /// lnd has the payment and it takes its time. Said once per process.
        case inFlight
        /// Paid; the preimage hashes to the payment hash.
        case succeeded(Preimage, fee: MilliSatoshi)
        /// Not paid, and it never will be.
        case failed(BusPaymentFailed.Cause, BusFailure?)
        /// The job has no such payment: nothing to record, and nothing will be paid.
        case notIntended
    }

    /// The job that asked.
    package var job: JobKey
    /// What was to be paid for.
    package var hash: PaymentHash
    /// How much, without fees; nothing when the job has no such payment.
    package var amount: MilliSatoshi
    /// What is known now.
    package var result: Result

    /// What to record; nil when nothing has ended.
    ///
    /// `paymentFailed` also for a payment that was withdrawn, because the journal may count it as
    /// attempted without a call having been made.
    package var fact: Fact? {
        switch result {
        case .inFlight, .notIntended: nil
        case .succeeded(let preimage, let fee):
            .paymentSucceeded(hash, preimage: preimage, fee: fee)
        case .failed: .paymentFailed(hash)
        }
    }

    /// What to tell the job's worker.
    package var event: BusJobEvent {
        var event = BusJobEvent()
        let paymentHash = Data(hash.bytes.bytes)
        switch result {
        case .inFlight: event.paymentInFlight.paymentHash = paymentHash
        case .succeeded(let preimage, let fee):
            event.paymentSucceeded.paymentHash = paymentHash
            event.paymentSucceeded.preimage = Data(
                preimage.secret.reveal("the client's proof of payment").bytes
            )
            event.paymentSucceeded.feeMsat = fee.msat
        case .failed(let cause, let failure):
            event.paymentFailed.paymentHash = paymentHash
            event.paymentFailed.cause = cause
            if let failure { event.paymentFailed.failure = failure }
        case .notIntended:
            event.paymentFailed.paymentHash = paymentHash
            event.paymentFailed.cause = .withdrawn
        }
        return event
    }
}

extension BusFailure {
    /// Why lnd gave a payment up.
    init(_ reason: Payment.FailureReason) {
        switch reason {
        case .timeout:
            self.init(
                "lnd-timeout",
                "no attempt succeeded within the time given",
                "Ask for a new quote; with a channel to the peer itself payments take a second."
            )
        case .noRoute:
            self.init(
                "lnd-no-route",
                "no route within the limits for fee and time lock",
                "Open a channel with the peer, or raise \(MoneySetting.feeFloor.option), "
                    + "\(MoneySetting.feeShare.option) or \(MoneySetting.cltvLimit.option)."
            )
        case .error:
            self.init("lnd-error", "lnd gave the payment up", "See lnd's log.")
        case .incorrectPaymentDetails:
            self.init(
                "lnd-incorrect-payment-details",
                "the payee refused: its invoice is expired, cancelled or unknown to it",
                "Ask for a new quote."
            )
        case .insufficientBalance:
            self.init(
                "lnd-insufficient-balance",
                "the node's channels hold too little",
                "Add funds to the node's side of its channels."
            )
        case .canceled:
            self.init("lnd-canceled", "somebody cancelled the payment in lnd", "Ask who did.")
        case .unrecognized(let number):
            self.init("lnd-failure-\(number)", "lnd gave the payment up", "See lnd's log.")
        }
    }
}
