import CrashPoints

/// Where a crash of the bridge could come between two things that belong together: before and after
/// each durable write and each effect.
///
/// What only asks (lookups, a payment that is tracked), and what concerns a connection and no job
/// (connect, disconnect), changes nothing that could be lost.
package enum CrashPoint: String, CrashPoints {
    // Durable writes.
    /// What a job's step changes, in one transaction.
    case beforeCommit = "before-commit"
    case afterCommit = "after-commit"
    /// What happened to a job, without a step.
    case beforeRecord = "before-record"
    case afterRecord = "after-record"
    /// That a job is over.
    case beforeFinish = "before-finish"
    case afterFinish = "after-finish"
    /// That lnd is about to be called for a payment.
    case beforeRecordAttempt = "before-record-attempt"
    case afterRecordAttempt = "after-record-attempt"
    /// That the bridge lives.
    case beforeKeepAlive = "before-keep-alive"
    case afterKeepAlive = "after-keep-alive"
    /// What is over and out of date goes.
    case beforePrune = "before-prune"
    case afterPrune = "after-prune"
    /// A peer's manifest.
    case beforeKeepManifest = "before-keep-manifest"
    case afterKeepManifest = "after-keep-manifest"
    /// What our workers sell.
    case beforeKeepOffers = "before-keep-offers"
    case afterKeepOffers = "after-keep-offers"
    /// The key of submissions' hashes, at the first start.
    case beforeKeepSecret = "before-keep-secret"
    case afterKeepSecret = "after-keep-secret"
    /// Which node the journal belongs to, at the first start.
    case beforeKeepIdentity = "before-keep-identity"
    case afterKeepIdentity = "after-keep-identity"

    // Effects.
    /// A step for a protocol worker.
    case beforeOrder = "before-order"
    case afterOrder = "after-order"
    /// A computation for a compute worker.
    case beforeCompute = "before-compute"
    case afterCompute = "after-compute"
    /// A step or a computation is taken back.
    case beforeRevoke = "before-revoke"
    case afterRevoke = "after-revoke"
    /// A job's message to its peer.
    case beforeSend = "before-send"
    case afterSend = "after-send"
    /// Our manifest to a peer.
    case beforeSendManifest = "before-send-manifest"
    case afterSendManifest = "after-send-manifest"
    /// `rate_limited` to a peer.
    case beforeRefuse = "before-refuse"
    case afterRefuse = "after-refuse"
    /// AddInvoice.
    case beforeCreateInvoice = "before-create-invoice"
    case afterCreateInvoice = "after-create-invoice"
    /// CancelInvoice.
    case beforeCancelInvoice = "before-cancel-invoice"
    case afterCancelInvoice = "after-cancel-invoice"
    /// SendPaymentV2, up to lnd's last word.
    case beforePay = "before-pay"
    case afterPay = "after-pay"
    /// A payment is withdrawn, up to the certainty that it never begins.
    case beforeWithdrawPayment = "before-withdraw-payment"
    case afterWithdrawPayment = "after-withdraw-payment"
    /// A client's answer.
    case beforeAnswer = "before-answer"
    case afterAnswer = "after-answer"
    /// News of a job to observers and watchers.
    case beforeNotify = "before-notify"
    case afterNotify = "after-notify"
}
