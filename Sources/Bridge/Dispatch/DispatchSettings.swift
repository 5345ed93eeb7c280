package import BridgeProtocol

/// How long, how often and how much: the numbers behind the delivery rules.
package struct DispatchSettings: Sendable {
    /// How long an item stays with a worker that gives no sign of life from its handler.
    package var lease: Duration = .seconds(30)
    /// How often a running handler is asked to send Progress.
    package var progressInterval: Duration = .seconds(10)
    /// How long a worker may handle one item, however much Progress it sends.
    package var handlingLimit: Duration
    /// How many counted attempts an item gets.
    package var maximumAttempts: UInt32 = 3
    /// How long the third attempt waits, while the second one comes at once.
    ///
    /// Doubles with each further one.
    package var retryDelay: Duration = .seconds(1)
    /// What that wait grows to at most.
    package var maximumRetryDelay: Duration = .seconds(30)
    /// After how many failures in a row a worker gets one item at a time until one succeeds.
    package var failuresBeforeProbing = 3
    /// How long a worker may take to answer a repeated Welcome before its items go to others.
    package var patience: Duration = .seconds(10)
    /// The most items one worker holds, whatever it announces.
    package var maximumCapacity = 1_024
    /// The most connections a room accepts at a time.
    package var maximumConnections = 4_096
    /// The most of those that name one worker id; only one of them gets work.
    package var maximumConnectionsPerWorker = 4
    /// The most capabilities one worker may announce.
    package var maximumCapabilities = 256
    /// The most raw params one capability may carry, in bytes.
    package var maximumTemplateBytes = 16_384
    /// Larger replies are dropped and count as a failed attempt, in bytes.
    package var maximumReplyBytes = 4 << 20

    /// The defaults above, with two minutes for a step and an hour for a computation.
    package init(role: WorkerRole) {
        handlingLimit = role == .compute ? .seconds(3_600) : .seconds(120)
    }
}

extension DispatchSettings {
    /// How long an item waits that has failed so many times.
    func delay(afterFailures failures: UInt32) -> Duration? {
        guard failures > 1 else { return nil }
        let doublings = min(failures - 2, 20)
        return min(retryDelay * (1 << Int(doublings)), maximumRetryDelay)
    }
}
