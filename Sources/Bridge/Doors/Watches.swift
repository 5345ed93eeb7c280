import BridgeProtocol
import Journal
import SwiftProtobuf
import Synchronization

/// Who wants to hear of which jobs; ends with the bridge's epoch.
final class Watches: Sendable {
    /// One WatchJobs request.
    struct Watch: Hashable {
        var caller: RequestDoor.Caller
        var request: UInt64
    }

    private struct State {
        /// Nil keys mean every job.
        var watches: [Watch: Set<JobKey>?] = [:]
        var dropped: UInt64 = 0
    }

    /// Watches of all clients together.
    private static let maximum = 1_024
    /// Jobs that one watch names.
    static let maximumJobs = 256

    private let door: RequestDoor
    private let state = Mutex(State())
    private let changes = Mailbox<(JobKey, BusJob)>()

    init(_ door: RequestDoor) { self.door = door }

    /// Starts a watch.
    ///
    /// - Returns: Whether there was room for it.
    func add(_ watch: Watch, jobs: Set<JobKey>?) -> Bool {
        state.withLock { state in
            guard state.watches.count < Self.maximum || state.watches[watch] != nil else {
                return false
            }
            state.watches[watch] = .some(jobs)
            return true
        }
    }

    /// Ends a watch.
    func remove(_ watch: Watch) { state.withLock { $0.watches[watch] = nil } }

    /// How many there are.
    var count: Int { state.withLock { $0.watches.count } }

    /// Tells whoever watches the job.
    func tell(_ key: JobKey, _ job: BusJob) {
        let isWatched = state.withLock { state in
            state.watches.contains { $0.value?.contains(key) ?? true }
        }
        if isWatched { changes.put((key, job)) }
    }

    /// Sends what is told until it is cancelled.
    ///
    /// A client that has gone, or does not take what it gets, loses its watch: it arms it again
    /// when it misses the heartbeat.
    func run() async {
        while let batch = await changes.next() {
            for (key, job) in batch {
                let watches = state.withLock { state in
                    state.watches.filter { $0.value?.contains(key) ?? true }.map(\.key)
                }
                for watch in watches {
                    let response = BusQueryResponse.with {
                        $0.id = watch.request
                        $0.job = job
                    }
                    if await !door.send(response, to: watch.caller) {
                        state.withLock { state in
                            state.watches[watch] = nil
                            state.dropped += 1
                        }
                    }
                }
            }
        }
    }
}
