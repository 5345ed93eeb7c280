import Foundation
import GRPCCore
import LightningTypes
import LndRPC
import SwiftProtobuf
import Testing

/// Subscriptions: how they open, deliver and end.
@Suite struct LndStreamTests {
    /// Opens a promise that one side fulfils and the other awaits.
    private func signal() -> (stream: AsyncStream<Void>, fire: AsyncStream<Void>.Continuation) {
        let made = AsyncStream<Void>.makeStream()
        return (made.stream, made.continuation)
    }

    private static func message(_ number: UInt8) throws -> Lnrpc_CustomMessage {
        let peer = Data(try Sample.node().bytes)
        return .with {
            $0.peer = peer
            $0.type = 42_081
            $0.data = Data([number])
        }
    }

    @Test func `messages arrive in order and the end with success is the end`() async throws {
        var lnd = ScriptedLnd()
        lnd.onStream(Lightning.SubscribeCustomMessages.descriptor) {
            (_: Lnrpc_SubscribeCustomMessagesRequest, out: RPCWriter<Lnrpc_CustomMessage>) in
            for number in 0..<100 as Range<UInt8> { try await out.write(Self.message(number)) }
        }
        try await lnd.run { node in
            let numbers = try await node.subscribeCustomMessages { messages in
                var numbers: [UInt8] = []
                for try await message in messages { numbers += message.data }
                return numbers
            }
            #expect(numbers == Array(0..<100))
        }
    }

    @Test func `a subscription is open before lnd has sent anything`() async throws {
        let (arrived, arrive) = signal()
        var lnd = ScriptedLnd()
        lnd.onStream(Lightning.SubscribePeerEvents.descriptor) {
            (_: Lnrpc_PeerEventSubscription, _: RPCWriter<Lnrpc_PeerEvent>) in
            arrive.finish()
            try await Task.sleep(for: .seconds(3600))
        }
        let (opened, open) = signal()
        try await lnd.run { node in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await node.subscribePeerEvents(opened: { open.finish() }) { events in
                        for try await _ in events { Issue.record("nothing was sent") }
                    }
                }
                for await _ in opened {}
                for await _ in arrived {}
                group.cancelAll()
                let error = try await lndError { try await group.waitForAll() }
                #expect(error?.code == .cancelled)
            }
        }
    }

    @Test(arguments: [
        (RPCError.Code.unknown, "server exiting", LndError.Code.serverExiting),
        (.unknown, "shutdown", .serverExiting),
        (.unavailable, "connection lost", .unavailable),
        (.deadlineExceeded, "", .deadlineExceeded),
    ])
    func `a stream tells why it ended`(
        status: RPCError.Code,
        text: String,
        code: LndError.Code
    ) async throws {
        var lnd = ScriptedLnd()
        lnd.onStream(Lightning.SubscribeInvoices.descriptor) {
            (_: Lnrpc_InvoiceSubscription, out: RPCWriter<Lnrpc_Invoice>) in
            try await out.write(Sample.invoice)
            throw RPCError(code: status, message: text)
        }
        let seen = Recorder<UInt64>()
        try await lnd.run { node in
            let error = try await lndError {
                try await node.subscribeInvoices { invoices in
                    for try await invoice in invoices { seen.record(invoice.addIndex) }
                }
            }
            #expect(error?.code == code)
        }
        #expect(seen.values == [5])
    }

    @Test func `a malformed element ends the stream with its reason`() async throws {
        var lnd = ScriptedLnd()
        lnd.onStream(Lightning.SubscribeInvoices.descriptor) {
            (_: Lnrpc_InvoiceSubscription, out: RPCWriter<Lnrpc_Invoice>) in
            try await out.write(.with { $0.rHash = Data([1]) })
        }
        try await lnd.run { node in
            let error = try await lndError {
                try await node.subscribeInvoices { for try await _ in $0 {} }
            }
            #expect(error?.code == .malformedAnswer)
            #expect(error?.detail.contains("r_hash") == true)
        }
    }

    @Test func `the indices of a subscription reach lnd`() async throws {
        let requests = Recorder<Lnrpc_InvoiceSubscription>()
        var lnd = ScriptedLnd()
        lnd.onStream(Lightning.SubscribeInvoices.descriptor) {
            (request: Lnrpc_InvoiceSubscription, _: RPCWriter<Lnrpc_Invoice>) in
            requests.record(request)
        }
        try await lnd.run { node in
            try await node.subscribeInvoices { for try await _ in $0 {} }
            try await node.subscribeInvoices(addIndex: 4, settleIndex: 2) {
                for try await _ in $0 {}
            }
        }
        #expect(requests.values.map(\.addIndex) == [0, 4])
        #expect(requests.values.map(\.settleIndex) == [0, 2])
    }

    @Test func `one invoice is followed to its end`() async throws {
        var lnd = ScriptedLnd()
        lnd.onStream(Invoices.SubscribeSingleInvoice.descriptor) {
            (request: Invoicesrpc_SubscribeSingleInvoiceRequest, out: RPCWriter<Lnrpc_Invoice>) in
            for state in [Lnrpc_Invoice.InvoiceState.open, .accepted, .settled] {
                var invoice = Sample.invoice
                invoice.rHash = request.rHash
                invoice.state = state
                try await out.write(invoice)
            }
        }
        try await lnd.run { node in
            let states = try await node.subscribeSingleInvoice(Sample.paymentHash) { invoices in
                var states: [Invoice.State] = []
                for try await invoice in invoices { states.append(invoice.state) }
                return states
            }
            #expect(states == [.open, .accepted, .settled])
        }
    }

    @Test func `the closure may return while lnd has more to send`() async throws {
        var lnd = ScriptedLnd()
        lnd.onStream(Lightning.SubscribeCustomMessages.descriptor) {
            (_: Lnrpc_SubscribeCustomMessagesRequest, out: RPCWriter<Lnrpc_CustomMessage>) in
            try await out.write(Self.message(1))
            try await Task.sleep(for: .seconds(3600))
        }
        try await lnd.run { node in
            let first = try await node.subscribeCustomMessages { messages in
                var reader = messages.makeAsyncIterator()
                return try await reader.next()?.data
            }
            #expect(first == [1])
        }
    }

    @Test func `what the closure throws comes out as it is`() async throws {
        struct Mine: Error {}
        var lnd = ScriptedLnd()
        lnd.onStream(Lightning.SubscribeCustomMessages.descriptor) {
            (_: Lnrpc_SubscribeCustomMessagesRequest, out: RPCWriter<Lnrpc_CustomMessage>) in
            try await out.write(Self.message(1))
        }
        try await lnd.run { node in
            _ = await #expect(throws: Mine.self) {
                try await node.subscribeCustomMessages { _ in throw Mine() }
            }
        }
    }

    @Test func `a payment stream that ends early leaves the payment open`() async throws {
        var lnd = ScriptedLnd()
        lnd.onStream(Router.SendPaymentV2.descriptor) {
            (_: Routerrpc_SendPaymentRequest, out: RPCWriter<Lnrpc_Payment>) in
            var flying = Sample.payment
            flying.status = .inFlight
            try await out.write(flying)
        }
        try await lnd.run { node in
            let order = PaymentOrder(
                paymentRequest: Redacted(Sample.invoiceText),
                feeLimit: .zero,
                timeoutSeconds: 1
            )
            let error = try await lndError {
                try await node.sendPaymentV2(order) { try await $0.finalState() }
            }
            #expect(error?.code == .unavailable)
            #expect(error?.outcomeIsUnknown == true)
        }
    }

    @Test func `a payment that lnd refuses is refused with its reason`() async throws {
        var lnd = ScriptedLnd()
        lnd.refuse(
            Router.SendPaymentV2.descriptor,
            RPCError(code: .alreadyExists, message: "payment is in transition")
        )
        try await lnd.run { node in
            let order = PaymentOrder(
                paymentRequest: Redacted(Sample.invoiceText),
                feeLimit: .zero,
                timeoutSeconds: 1
            )
            let error = try await lndError {
                try await node.sendPaymentV2(order) { try await $0.finalState() }
            }
            #expect(error?.code == .paymentInFlight)
        }
    }
}
