import BridgeProtocol
import Journal
import SwiftProtobuf
import Synchronization

/// Who wants to hear of which jobs; ends with the bridge's epoch.
final class Watches: Sendable {
    typealias Watch = WatchList.Watch

    /// Jobs that one watch names.
    static let maximumJobs = 256

    private let door: RequestDoor
    private let list = Mutex(WatchList(maximum: 1_024))
    private let changes = Mailbox<(JobKey, BusJob)>()

    init(_ door: RequestDoor) { self.door = door }

    /// Starts a watch; where there are too many an older one makes room.
    func add(_ watch: Watch, jobs: Set<JobKey>?) { list.withLock { $0.add(watch, jobs: jobs) } }

    /// Ends a watch.
    func remove(_ watch: Watch) { list.withLock { $0.remove(watch) } }

    /// How many were ended without being asked to.
    var dropped: UInt64 { list.withLock { $0.dropped } }

    /// Tells whoever watches the job.
    func tell(_ key: JobKey, _ job: BusJob) {
        if list.withLock({ $0.isWatched(key) }) { changes.put((key, job)) }
    }

    /// Sends what is told until it is cancelled.
    ///
    /// A client that has gone, or does not take what it gets, loses its watch: it arms it again
    /// when it misses the heartbeat.
    func run() async {
        while let batch = await changes.next() {
            for (key, job) in batch {
                for watch in list.withLock({ $0.watches(of: key) }) {
                    let response = BusQueryResponse.with {
                        $0.id = watch.request
                        $0.job = job
                    }
                    if await !door.send(response, to: watch.caller) {
                        list.withLock { $0.drop(watch) }
                    }
                }
            }
        }
    }
}
