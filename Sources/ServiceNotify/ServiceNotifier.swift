import Glibc
import Synchronization

/// What a service manager hears of this process; silent when none listens.
///
/// A loop that must not get stuck calls ``beat()`` at each turn. The first beat says that the
/// service is ready, the later ones that it is alive, four times as often as the manager asks for.
package final class ServiceNotifier: Sendable {
    private struct State {
        var isReady = false
        var isStopping = false
        var lastBeat: ContinuousClock.Instant?
        var status = ""
    }

    private let manager: ServiceManager?
    private let state = Mutex(State())

    /// Tells a manager, or nobody.
    package init(_ manager: ServiceManager?) { self.manager = manager }

    /// Tells the manager that started this process.
    package static func ofThisProcess() -> ServiceNotifier {
        var environment: [String: String] = [:]
        for name in ["NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"] {
            // Read before there are threads that could set it, and copied at once.
            environment[name] = getenv(name).map { String(cString: $0) }
        }
        return ServiceNotifier(ServiceManager(environment: environment, process: getpid()))
    }

    /// Tells nobody.
    package static let silent = ServiceNotifier(nil)

    /// How often ``beat()`` must be called at least; nil when nobody waits for more than the first.
    package var interval: Duration? { manager?.watchdog.map { $0 / 4 } }

    /// Says that the loop this is called from has made a turn.
    package func beat() { beat(at: .now) }

    func beat(at now: ContinuousClock.Instant) {
        guard let manager else { return }
        let messages: [ServiceManager.Message] = state.withLock { state in
            var messages: [ServiceManager.Message] = []
            if !state.isReady {
                state.isReady = true
                messages.append(.ready)
            }
            // An end takes its time, and a watchdog during it would make a drain a crash.
            if let interval, state.lastBeat.map({ now - $0 >= interval }) ?? true {
                state.lastBeat = now
                messages.append(.watchdog)
            }
            return messages
        }
        if !messages.isEmpty { manager.tell(messages) }
    }

    /// Says what this process does or waits for; the same again is not told again.
    ///
    /// - Parameter text: One line for people, without secrets.
    package func tell(_ text: String) {
        guard let manager else { return }
        let isNews = state.withLock { state in
            guard state.status != text, !state.isStopping else { return false }
            state.status = text
            return true
        }
        if isNews { manager.tell([.status(text)]) }
    }

    /// Says that the end has begun; the loop goes on beating meanwhile.
    ///
    /// - Parameter text: What the end waits for.
    package func stop(_ text: String) {
        guard let manager else { return }
        state.withLock { $0.isStopping = true }
        manager.tell([.stopping, .status(text)])
    }
}
