extension LndNode {
    /// Waits until lnd is ready for calls and subscriptions, for ever if need be.
    ///
    /// Connects again with growing, random pauses while lnd can't be reached. Never sends a wallet
    /// password. After the connection was lost, wait again: lnd may have restarted.
    ///
    /// - Parameters:
    ///   - clock: What to pause by.
    ///   - report: Called at once and at every change of what is being waited for; the last phase
    ///     is `ready`.
    /// - Throws: ``LndError`` with code `cancelled` or `closed`, when the caller gives up.
    package func waitUntilReady(
        clock: some Clock<Duration> = ContinuousClock(),
        report: @escaping @Sendable (LndStartup.Phase) -> Void
    ) async throws(LndError) {
        var startup = LndStartup()
        report(startup.phase)
        var step = LndStartup.first
        while true {
            let event: LndStartup.Event
            switch step {
            case .subscribe(let delay):
                try await pause(delay, clock)
                (startup, event) = await followState(startup, report)
            case .poll(let delay):
                try await pause(delay, clock)
                event = await askForInfo()
            case .read:
                // Said only about a state, which `followState` keeps to itself.
                event = .ended
            case .finish(nil): return
            case .finish(let error?): throw error
            }
            let known = startup.phase
            step = startup.handle(event, jitter: .random(in: 0..<1))
            if startup.phase != known { report(startup.phase) }
        }
    }

    /// Reads the State service until lnd is ready or the stream ends.
    ///
    /// - Returns: What is known by then, and the event to go on with.
    private func followState(
        _ startup: LndStartup,
        _ report: @escaping @Sendable (LndStartup.Phase) -> Void
    ) async -> (LndStartup, LndStartup.Event) {
        do {
            return try await subscribeState { states in
                var startup = startup
                do throws(LndError) {
                    var reader = states.makeAsyncIterator()
                    while let state = try await reader.next(isolation: nil) {
                        // The event that ends the waiting is the caller's.
                        if state == .serverActive { return (startup, .state(state)) }
                        let known = startup.phase
                        _ = startup.handle(.state(state), jitter: 0)
                        if startup.phase != known { report(startup.phase) }
                    }
                    return (startup, .ended)
                } catch {
                    return (startup, .failed(error))
                }
            }
        } catch {
            return (startup, .failed(LndError(any: error, rpc: "SubscribeState")))
        }
    }

    private func askForInfo() async -> LndStartup.Event {
        do throws(LndError) {
            _ = try await getInfo()
            return .answered
        } catch {
            return .failed(error)
        }
    }

    private func pause(_ delay: Duration, _ clock: some Clock<Duration>) async throws(LndError) {
        guard delay > .zero else { return }
        do {
            try await clock.sleep(for: delay)
        } catch {
            throw LndError(.cancelled, "SubscribeState: cancelled")
        }
    }
}
