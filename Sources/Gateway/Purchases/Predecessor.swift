import BridgeProtocol
import BusClient
import LightningTypes

/// A gateway process before this one, as far as the bridge knows.
actor Predecessor {
    private let client: BusClient
    /// When its purchases were begun if they matter, in Unix seconds.
    private let since: UInt64
    /// The question whether there are any.
    private var question: Task<Bool, any Error>?

    /// Asks nothing yet.
    ///
    /// - Parameters:
    ///   - client: Asks the bridge.
    ///   - window: The window in which this process was started.
    init(_ client: BusClient, upTo window: UInt64) {
        self.client = client
        // A window more, for a bridge whose clock is behind.
        since = PurchaseSeries.start(ofWindow: window - min(window, 1)).seconds
    }

    /// Whether anybody has bought anything lately; when not, no request has to ask for its own number.
    ///
    /// Asked once, before this process buys. A submission that reaches the bridge at that very moment may
    /// be missed. Nothing is bought twice for that: the same request has the same key. A question
    /// without an answer is asked again by a later request; this one asks for its own number.
    func mayHaveBought() async -> Bool {
        if let question { return (try? await question.value) ?? true }
        // The newest job of any role, which the bridge finds without looking at others.
        var filter = BusListJobs()
        filter.limit = 1
        let question = Task { [client, filter, since] in
            try await client.jobs(filter).jobs.contains { $0.createdUnix >= since }
        }
        self.question = question
        do {
            return try await question.value
        } catch {
            self.question = nil
            return true
        }
    }
}
