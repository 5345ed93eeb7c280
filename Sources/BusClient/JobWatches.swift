import BridgeProtocol
import SwiftProtobuf

/// Keeps watches armed: on the first bridge, on each later one, and after every gap.
///
/// The bridge answers a watch of named jobs with where they stand now, and every change follows; where
/// all jobs stand is asked for apart.
actor JobWatches {
    private struct Watch {
        let states: JobStates
        /// The request that brings changes; nil until a bridge has taken it.
        var changes: UInt64?
        /// The requests for the present state that are not answered yet, as far as we know.
        var questions: [UInt64] = []
    }

    private let channel: RequestChannel<BusQueryRequest, BusQueryResponse>
    private let refreshInterval: Duration
    private var watches: [ObjectIdentifier: Watch] = [:]

    init(
        _ channel: RequestChannel<BusQueryRequest, BusQueryResponse>,
        refreshInterval: Duration
    ) {
        self.channel = channel
        self.refreshInterval = refreshInterval
    }

    /// Asks for the states of watched jobs again and again.
    ///
    /// A change that was dropped on its way, or a feed this client may not hear, then costs some
    /// seconds and not the watch.
    func run() async throws {
        while true {
            try await Task.sleep(for: refreshInterval)
            for (name, watch) in watches {
                if watch.changes == nil {
                    try await armUnlessRefused(name)
                } else {
                    try? await askForStates(name)
                }
            }
            try Task.checkCancellation()
        }
    }

    func begin(_ jobs: [BusJobKey]) async throws -> JobStates {
        let states = JobStates(jobs)
        let name = ObjectIdentifier(states)
        watches[name] = Watch(states: states)
        do {
            try await arm(name)
        } catch {
            await end(states)
            throw error
        }
        return states
    }

    func end(_ states: JobStates) async {
        let name = ObjectIdentifier(states)
        await disarm(name)
        await forgetQuestions(name)
        watches[name] = nil
    }

    /// Arms every watch anew: the bridge is another, or was not heard for a while.
    func armAgain() async throws {
        for name in watches.keys {
            await disarm(name)
            try await armUnlessRefused(name)
        }
    }

    /// Arms a watch; when no bridge is there to take it, the next refresh tries again.
    private func armUnlessRefused(_ name: ObjectIdentifier) async throws {
        do {
            try await arm(name)
        } catch let error as BusClientError where error.code != .noBridge {
            watches[name]?.states.fail(error)
        } catch is BusClientError {}
    }

    private func arm(_ name: ObjectIdentifier) async throws {
        guard let states = watches[name]?.states else { return }
        let request = BusQueryRequest.with {
            $0.watchJobs = .with { $0.jobs = states.jobs }
        }
        let id = try await channel.open(request, endsWithAnswer: false) { response in
            Self.take(response, for: states)
        }
        do {
            try await channel.send(id)
            watches[name]?.changes = id
            if states.jobs.isEmpty { try await askForStates(name) }
        } catch {
            await channel.close(id)
            watches[name]?.changes = nil
            throw error
        }
    }

    private func disarm(_ name: ObjectIdentifier) async {
        guard let id = watches[name]?.changes else { return }
        watches[name]?.changes = nil
        await channel.close(id)
        await channel.tell(.with { $0.unwatch = .with { $0.watch = id } })
    }

    private func askForStates(_ name: ObjectIdentifier) async throws {
        await forgetQuestions(name)
        guard let states = watches[name]?.states else { return }
        var requests = states.jobs.map { key in
            BusQueryRequest.with { $0.getJob = .with { $0.job = key } }
        }
        if requests.isEmpty { requests = [.with { $0.listJobs = .with { $0.limit = 100 } }] }
        for request in requests {
            let id = try await channel.open(request, endsWithAnswer: true) { response in
                Self.take(response, for: states)
            }
            watches[name]?.questions.append(id)
            try await channel.send(id)
        }
    }

    private func forgetQuestions(_ name: ObjectIdentifier) async {
        for id in watches[name]?.questions ?? [] { await channel.close(id) }
        watches[name]?.questions = []
    }

    private static func take(_ response: BusQueryResponse, for states: JobStates) {
        switch response.body {
        case .job(let job): states.put(job)
        case .jobs(let page): for job in page.jobs { states.put(job) }
        case .failure(let failure): states.fail(BusClientError(failure))
        case .peers, .workers, .ledger, .status, nil: break
        }
    }
}
