import BridgeProtocol
import Foundation
import LightningTypes
import Logging
import SwiftProtobuf
import Testing
import ZeroMQ

@testable import WorkerKit

/// When a worker must not say any more that it is alive.
@Suite struct StuckLaneTests {
    private static let worker = WorkerID.random()

    /// A link whose session is a member.
    private func member() throws -> WorkerLink {
        let link = WorkerLink(
            session: WorkerSession(
                worker: Self.worker,
                role: .compute,
                hello: .with { $0.capacity = 4 }
            ),
            logger: Logger(label: "test")
        )
        let bytes = Data(repeating: 1, count: 16)
        let welcome = BusWelcome.with { ($0.nonce, $0.epoch) = (bytes, bytes) }
        try receive(.welcome(welcome), link)
        return link
    }

    private func receive(_ body: BusWorkerEvent.OneOf_Body, _ link: WorkerLink) throws {
        let event = try BusWorkerEvent.with { $0.body = body }.serializedBytes() as [UInt8]
        link.receive([ZeroMQ.Message(Frame(WorkTopic(Self.worker).bytes), Frame(event))])
    }

    private func item(_ number: UInt8) -> BusComputeItem {
        BusComputeItem.with {
            $0.lease = Data(repeating: number, count: 16)
            $0.job.jobID = Data(repeating: number, count: 32)
        }
    }

    @Test func `a lane that goes on long after its item was taken back is stuck`() async throws {
        let link = try member()
        try receive(.compute(item(1)), link)
        let order = try #require(await link.next())
        let start = ContinuousClock.now
        #expect(!link.isStuck(at: start + .seconds(3_600)), "a computation may take its time")
        let revoke = BusRevoke.with { $0.lease = item(1).lease }
        try receive(.revoke(revoke), link)
        #expect(!link.isStuck(at: start))
        #expect(!link.isStuck(at: start + WorkerLink.patience))
        #expect(link.isStuck(at: start + WorkerLink.patience + .seconds(1)))
        link.leave(order)
        #expect(!link.isStuck(at: start + .seconds(3_600)))
    }
}
