import Foundation
import Glibc
import Synchronization

/// Where a crash could come between two things that belong together: before and after each durable
/// write and each effect.
///
/// A debug build kills itself at one of them when `LCP_CRASH_POINT` names it, so that a test can
/// prove what holds afterwards; a release build has no such code. `LCP_CRASH_POINT=after-commit:3`
/// means the third time.
package enum CrashPoint: String, CaseIterable, Sendable {
    case beforeCommit = "before-commit"
    case afterCommit = "after-commit"
    case beforeRecord = "before-record"
    case afterRecord = "after-record"
    case beforeOrder = "before-order"
    case afterOrder = "after-order"
    case beforeCompute = "before-compute"
    case afterCompute = "after-compute"
    case beforeSend = "before-send"
    case afterSend = "after-send"
    case beforeCreateInvoice = "before-create-invoice"
    case afterCreateInvoice = "after-create-invoice"
    case beforeCancelInvoice = "before-cancel-invoice"
    case afterCancelInvoice = "after-cancel-invoice"
    case beforePay = "before-pay"
    case afterPay = "after-pay"
    case beforeWithdrawPayment = "before-withdraw-payment"
    case afterWithdrawPayment = "after-withdraw-payment"
    case beforeAnswer = "before-answer"
    case afterAnswer = "after-answer"

    /// Dies here if that was asked for.
    func reach() {
        #if DEBUG
            guard let armed = Self.armed, armed.point == self else { return }
            let isDue = Self.passed.withLock { passed in
                passed += 1
                return passed == armed.count
            }
            if isDue { kill(getpid(), SIGKILL) }
        #endif
    }

    #if DEBUG
        private static let passed = Mutex(0)

        private static let armed: (point: CrashPoint, count: Int)? = {
            let text = ProcessInfo.processInfo.environment["LCP_CRASH_POINT"] ?? ""
            let parts = text.split(separator: ":")
            guard let name = parts.first, let point = CrashPoint(rawValue: String(name)) else {
                return nil
            }
            return (point, parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
        }()
    #endif
}
