import Bridge
import BridgeProtocol

/// What a client wants.
enum CrashErrand {
    /// A job.
    case buy
    /// A job of a seller that may have no room for it.
    case crowd
    /// A job that nobody sells.
    case misfit
    /// A quote alone.
    case drop
    /// A job, and then not: before it is paid.
    case withdraw
    /// A job, and then not: after it is paid.
    case regret
}

/// What brings a bridge to a crash point.
struct CrashErrands {
    /// What clients do meanwhile; each errand must come to its end.
    var sure: [CrashErrand] = [.buy, .buy, .buy, .drop]
    /// What they do besides, and nobody waits for when the bridge has died.
    var doubtful: [CrashErrand] = []
    /// What the bridge is started with besides.
    var arguments: [String] = []

    init(for point: CrashPoint) {
        switch point {
        case .beforeWithdrawPayment, .afterWithdrawPayment: (sure, doubtful) = ([], [.withdraw])
        case .beforeRevoke, .afterRevoke: sure = [.regret]
        case .beforeFinish, .afterFinish: sure = [.buy, .misfit]
        case .beforeRefuse, .afterRefuse:
            sure = Array(repeating: .crowd, count: 6)
            arguments = ["--max-jobs-per-peer", "1"]
        case .beforeCommit, .afterCommit, .beforeRecord, .afterRecord, .beforeRecordAttempt,
            .afterRecordAttempt, .beforeKeepAlive, .afterKeepAlive, .beforePrune, .afterPrune,
            .beforeKeepManifest, .afterKeepManifest, .beforeKeepOffers, .afterKeepOffers,
            .beforeKeepSecret, .afterKeepSecret, .beforeKeepIdentity, .afterKeepIdentity,
            .beforeOrder, .afterOrder, .beforeCompute, .afterCompute, .beforeSend, .afterSend,
            .beforeSendManifest, .afterSendManifest, .beforeCreateInvoice, .afterCreateInvoice,
            .beforeCancelInvoice, .afterCancelInvoice, .beforePay, .afterPay, .beforeAnswer,
            .afterAnswer, .beforeNotify, .afterNotify:
            break
        }
    }
}
