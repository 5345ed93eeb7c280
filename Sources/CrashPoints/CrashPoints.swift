import Foundation
import Glibc
import Synchronization

/// The places of a process where a crash could come between two things that belong together.
///
/// A debug build kills itself at one of them when `LCP_CRASH_POINT` names it, so that a test can
/// prove what holds afterwards; a release build has no such code. `LCP_CRASH_POINT=after-commit:3`
/// means the third time. Each kind of process has an enum of its own, and names that it does not
/// know are another's.
package protocol CrashPoints: CaseIterable, RawRepresentable<String>, Sendable {}

extension CrashPoints {
    /// Dies here if that was asked for.
    package func reach() {
        #if DEBUG
            guard let armed = Armed.point, armed.name == rawValue else { return }
            let isDue = Armed.passed.withLock { passed in
                passed += 1
                return passed == armed.count
            }
            if isDue { kill(getpid(), SIGKILL) }
        #endif
    }
}

#if DEBUG
    /// The one point where this process dies.
    private enum Armed {
        static let passed = Mutex(0)

        static let point: (name: Substring, count: Int)? = {
            let text = ProcessInfo.processInfo.environment["LCP_CRASH_POINT"] ?? ""
            let parts = text.split(separator: ":")
            guard let name = parts.first else { return nil }
            return (name, parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
        }()
    }
#endif
