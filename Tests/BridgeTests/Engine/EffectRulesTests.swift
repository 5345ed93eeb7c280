import BridgeProtocol
import Foundation
import Journal
import LCPWire
import LightningTypes
import SwiftProtobuf
import Testing

@testable import Bridge

/// What a worker may ask for, whatever it claims to be.
@Suite struct EffectRulesTests {
    // LCP v0.1 §3.2 [message-direction]
    @Test func `a worker sends only the messages of its side`() {
        for type in V01.MessageType.allCases {
            let send = BusEffect.OneOf_Body.send(.with { $0.type = UInt32(type.rawValue) })
            let isProviders = [.quoteResponse, .result, .error].contains(type)
            let isRequesters = [.quoteRequest, .cancel].contains(type)
            #expect(EffectRules.mayAsk(send, for: .provider) == isProviders, "\(type)")
            #expect(EffectRules.mayAsk(send, for: .requester) == isRequesters, "\(type)")
        }
        // Nor anything that is not LCP's, whose number may be somebody else's.
        let foreign = BusEffect.OneOf_Body.send(.with { $0.type = 42_099 })
        #expect(!EffectRules.mayAsk(foreign, for: .provider))
        #expect(!EffectRules.mayAsk(foreign, for: .requester))
    }

    @Test func `only a requester pays, and only a provider sells`() {
        let pays: [BusEffect.OneOf_Body] = [.pay(.init()), .withdrawPayment(.init())]
        let sells: [BusEffect.OneOf_Body] = [
            .createInvoice(.init()), .cancelInvoice(.init()), .startCompute(.init()),
            .cancelCompute(.init()),
        ]
        #expect(pays.allSatisfy { EffectRules.mayAsk($0, for: .requester) })
        #expect(sells.allSatisfy { EffectRules.mayAsk($0, for: .provider) })
        #expect(!pays.contains { EffectRules.mayAsk($0, for: .provider) })
        #expect(!sells.contains { EffectRules.mayAsk($0, for: .requester) })
    }

    @Test func `a step that asks for what its role may not is not made`() async throws {
        let bench = try EngineBench()
        let asked = await bench.submit()
        let forbidden = BusEffect.with {
            $0.id = 1
            $0.startCompute = BusStartCompute()
        }
        let outputs = try bench.step(asked, to: .running, [forbidden])
        #expect(!outputs.contains { if case .commit = $0 { true } else { false } })
        // Another worker is asked, with the state as it was.
        #expect(outputs.step?.item.version == asked.step?.item.version)
    }

    // LCP v0.1 §5.3 [execute-what-the-bridge-saw-settled]
    @Test func `nothing is computed before the bridge has seen its invoice settled`() async throws {
        let bench = try EngineBench()
        // A worker that has gone mad wants to compute at once.
        let asked = await bench.write(bench.tell(request(bench)))
        let wish = try bench.step(asked, to: .running, [invoice, compute(2)])
        let refused = await bench.write(wish)
        #expect(refused.computations == 0)
        let failure = refused.step?.item.events.first?.computeFailed.failure
        #expect(failure?.code == "unpaid")

        // And again when there is an invoice that nobody has paid.
        let quoted = try await quote(bench, after: refused)
        let unpaid = await bench.write(try bench.step(quoted, to: .running, [compute(3)]))
        #expect(unpaid.computations == 0)

        // Once it is paid, the same wish is granted.
        let outputs = unpaid + (await bench.write(bench.tell(settled(bench))))
        let paid = await bench.write(try bench.step(outputs, to: .running, [compute(4)]))
        #expect(paid.computations == 1)
    }

    @Test func `a paid job is computed once at a time`() async throws {
        let bench = try EngineBench()
        let asked = await bench.write(bench.tell(request(bench)))
        let ordered = await bench.write(try bench.step(asked, to: .quoting, [invoice]))
        let quoted = try await quote(bench, after: ordered)
        let outputs = quoted + (await bench.write(bench.tell(settled(bench))))
        let wish = try bench.step(outputs, to: .running, [compute(2), compute(3)])
        let running = await bench.write(wish)
        #expect(running.computations == 1)
        let failure = running.step?.item.events.last?.computeFailed.failure
        #expect(failure?.code == "busy")
    }

    @Test func `a result above the limit of its order is a failed computation`() async throws {
        let bench = try EngineBench()
        let asked = await bench.write(bench.tell(request(bench)))
        let ordered = await bench.write(try bench.step(asked, to: .quoting, [invoice]))
        let quoted = try await quote(bench, after: ordered)
        let outputs = quoted + (await bench.write(bench.tell(settled(bench))))
        var limited = compute(2)
        limited.startCompute.limits.maxResultBytes = 4
        let running = await bench.write(try bench.step(outputs, to: .running, [limited]))
        let order = try #require(
            running.compactMap { if case .compute(let id, _, _, _) = $0 { id } else { nil } }.first
        )
        let result = BusComputeReply.with { $0.result.output = Data("12345".utf8) }
        let told = await bench.write(bench.tell(.computed(order: order, result)))
        let events = told.step?.item.events
        #expect(events?.last?.computeFailed.failure.code == "result-too-large")
    }

    // MARK: - A job that is sold

    private func key(_ bench: EngineBench) -> JobKey {
        JobKey(role: .provider, peer: bench.seller, id: bench.key.id)
    }

    private func request(_ bench: EngineBench) -> EngineInput {
        let message = JobMessage(
            peer: bench.seller,
            type: 42_083,
            protocolVersion: 1,
            jobID: bench.key.id,
            messageID: .zero,
            expiresAt: bench.now.advanced(bySeconds: 600),
            payload: []
        )
        return .message(message, key(bench))
    }

    private static let price = MilliSatoshi(msat: 1_000)

    /// The outputs after the job has an invoice and a step that knows it.
    private func quote(
        _ bench: EngineBench,
        after outputs: [EngineOutput]
    ) async throws -> [EngineOutput] {
        let terms = InvoiceTerms(
            hash: bench.hash,
            amount: Self.price,
            expiresAt: bench.now.advanced(bySeconds: 300),
            profile: ""
        )
        let created = bench.tell(
            .invoiceCreated(key(bench), effect: 1, terms, paymentRequest: Redacted("lnbcrt1"))
        )
        let next = outputs + (await bench.write(created))
        return await bench.write(try bench.step(next, to: .quoted, [invoice]))
    }

    private func settled(_ bench: EngineBench) -> EngineInput {
        .invoiceSettled(key(bench), bench.hash, paid: Self.price)
    }

    private var invoice: BusEffect {
        .with {
            $0.id = 1
            $0.createInvoice = BusCreateInvoice()
        }
    }

    private func compute(_ id: UInt64) -> BusEffect {
        .with {
            $0.id = id
            $0.startCompute = BusStartCompute()
        }
    }
}

extension [EngineOutput] {
    /// How many computations are handed out.
    fileprivate var computations: Int {
        count { if case .compute = $0 { true } else { false } }
    }
}
