import BOLT11
import BridgeProtocol
import BusAddresses
import CrashPoints
import Foundation
import GRPCNGHTTP2
import Journal
import LightningTypes
import LndRPC
import Logging
import ServiceLifecycle
import ServiceNotify
import SwiftProtobuf
import ZeroMQ

// What people may ask of the whole.
extension RunningBridge {
    var query: QueryDoor {
        QueryDoor(
            door: queryDoor,
            watches: watches,
            journal: journal,
            status: { await self.status() },
            peers: { await self.session.peers(after: $0, bytes: $1) },
            workers: {
                var workers: [BusWorker] = []
                for role in WorkerRole.allCases {
                    workers += await self.rooms[role]?.workers() ?? []
                }
                return workers
            }
        )
    }

    func status() async -> BusStatus {
        let now = Self.now()
        let engine = await loop.status
        let day = UnixTime(seconds: now.seconds > 86_400 ? now.seconds - 86_400 : 0)
        let spending = try? await journal.spending(since: day)
        let link = await session.state
        let node = await session.node
        var counters = engine.counters
        counters.merge(await session.counters) { $0 + $1 }
        counters.merge(await payments.counters) { $0 + $1 }
        counters.merge(await invoices.counters) { $0 + $1 }
        var queued = 0
        for (role, room) in rooms {
            queued += await room.queued
            for (name, count) in await room.counters {
                counters["\(role.rawValue).\(name)"] = count
            }
        }
        counters["feed.dropped"] = feeds.dropped
        counters["watch.dropped"] = watches.dropped
        counters["journal.not_reconciled"] = journal.isRestored ? 1 : 0
        let (malformed, busy) = queryDoor.counts
        let (malformedControl, busyControl) = control.door.counts
        counters["request.malformed"] = malformed + malformedControl
        counters["request.busy"] = busy + busyControl
        return .with {
            $0.program = configuration.program
            $0.epoch = Data(epoch)
            $0.startedUnix = startedAt.seconds
            $0.lndState = link.name
            $0.lndDetail = link.detail
            if let node {
                $0.nodeID = Data(node.nodeID.bytes)
                $0.network = node.network
            }
            $0.openJobs = UInt32(clamping: engine.open)
            $0.parkedJobs = UInt32(clamping: engine.parked)
            $0.queuedItems = UInt32(clamping: queued)
            $0.spentTodayMsat = spending?.committed.msat ?? 0
            $0.dailyBudgetMsat = configuration.money.dailyBudget.msat
            $0.reservedMsat = spending?.reserved.msat ?? 0
            $0.feeFloorMsat = configuration.money.feeFloor.msat
            $0.feeSharePpm = min(configuration.money.feeSharePPM, 1_000_000)
            $0.counters = counters.filter { $0.value > 0 }
        }
    }
}
