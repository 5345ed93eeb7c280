import BridgeProtocol
import BusClient
import Foundation
import LCPWire
import LightningTypes
import LocalNetwork
import SwiftProtobuf
import Testing
import ZeroMQ

/// A paid answer that got lost is asked for again, and a client that died has its job.
@Suite(.timeLimit(.minutes(30))) struct AskingAgainTests {
    /// What takes the answer from a buyer that has paid, and brings it back.
    enum Loss: CaseIterable {
        case bridgeDown, streamBroken, peerAway
    }

    @Test(arguments: Loss.allCases)
    func `a result that was lost is asked for and comes, without another payment`(
        loss: Loss
    ) async throws {
        try await Market.run {
            try Gate.market($0)
        } _: { market in
            let before = try await market.balances()
            let key = try await market.submit("hello")
            _ = try await market.gate.running()
            try await market.wait(for: key) { $0.view.stage == .running }
            // lnd says "sent" in each case.
            if loss == .bridgeDown {
                await market.network.kill(ProcessName("alice", .bridge))
            } else {
                try await market.control("messages", "bob", "alice", "--drop", "1")
            }
            let sent = try await market.calls(of: "SendCustomMessage", at: "bob")
            try market.gate.open()
            try await eventually("bob has sent the result") {
                try await market.calls(of: "SendCustomMessage", at: "bob") > sent
            }
            switch loss {
            case .bridgeDown: try await market.network.start(ProcessName("alice", .bridge))
            case .streamBroken: try await market.control("break", "alice", "custom-messages")
            case .peerAway: try await market.control("separate", "alice", "bob")
            }
            let job = try await market.end(of: key)
            #expect(job.view.stage == .done)
            #expect(try await market.output(of: key) == "hello, answered")
            #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == 1)
            #expect(try await market.calls(of: "AddInvoice", at: "bob") == 1)
            try await market.expectBalancedBooks(spent: job.view.priceMsat, before: before)
        }
    }

    @Test func `a client that died between commit and acknowledgement has its job, once`()
        async throws
    {
        try await Market.run { market in
            let before = try await market.balances()
            let order = JobSubmission(
                to: try await market.network.node("bob").id,
                taskKind: V01.llmChat,
                input: Redacted(Array("hello".utf8)),
                params: try V01.LLMChatParams(profile: "demo").encoded(),
                ceiling: MilliSatoshi(msat: 1_000_000)
            )
            // A client that sends and never reads: its end leaves no trace of an answer.
            let context = try Context()
            let bus = try await market.network.node("alice").busDirectory
            let socket = try await context.dealer(
                .ipc(path: "\(bus)/\(BusEndpoint.control.path)")
            )
            try await socket.send(ZeroMQ.Message(Frame(try order.request())))
            await context.shutDown()
            let bridge = try await market.network.client(of: "alice")
            var found: [BusJob] = []
            try await eventually("the job is committed") {
                found = try await bridge.jobs(.init()).jobs
                return !found.isEmpty
            }
            // The key was written down before; it means the job that exists.
            let again = try await bridge.submit(order)
            #expect([again.key] == found.map(\.key))
            let job = try await market.end(of: again.key)
            #expect(job.view.stage == .done)
            #expect(try await market.output(of: again.key)?.hasSuffix("\nhello") == true)
            #expect(try await bridge.jobs(.init()).jobs.count == 1)
            #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == 1)
            try await market.expectBalancedBooks(spent: job.view.priceMsat, before: before)
        }
    }
}

extension JobSubmission {
    /// The frame that asks a bridge for this job.
    fileprivate func request() throws -> [UInt8] {
        let request = BusControlRequest.with { request in
            request.id = 1
            request.submit = .with {
                $0.key = Data(key.bytes)
                $0.peer = Data(peer.bytes)
                $0.taskKind = taskKind
                $0.input = Data(input.reveal("the test's own"))
                $0.params = Data(params)
                if let ceiling { $0.maxPriceMsat = ceiling.msat }
            }
        }
        return try request.serializedBytes()
    }
}
