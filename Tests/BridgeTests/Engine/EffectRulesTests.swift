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
        let key = JobKey(role: .provider, peer: bench.seller, id: bench.key.id)
        let message = JobMessage(
            peer: bench.seller,
            type: 42_083,
            protocolVersion: 1,
            jobID: key.id,
            messageID: .zero,
            expiresAt: bench.now.advanced(bySeconds: 600),
            payload: []
        )
        let invoice = BusEffect.with {
            $0.id = 1
            $0.createInvoice = BusCreateInvoice()
        }
        func compute(_ id: UInt64) -> BusEffect {
            .with {
                $0.id = id
                $0.startCompute = BusStartCompute()
            }
        }
        func computes(_ outputs: [EngineOutput]) -> Bool {
            outputs.contains { if case .compute = $0 { true } else { false } }
        }

        // A worker that has gone mad wants to compute at once.
        let asked = await bench.write(bench.tell(.message(message, key)))
        let wish = try bench.step(asked, to: .running, [invoice, compute(2)])
        let refused = await bench.write(wish)
        #expect(!computes(refused))
        let failure = refused.step?.item.events.first?.computeFailed.failure
        #expect(failure?.code == "unpaid")

        // And again when there is an invoice that nobody has paid.
        let terms = InvoiceTerms(
            hash: bench.hash,
            amount: MilliSatoshi(msat: 1_000),
            expiresAt: bench.now.advanced(bySeconds: 300),
            profile: ""
        )
        var outputs = bench.tell(
            .invoiceCreated(key, effect: 1, terms, paymentRequest: Redacted("lnbcrt1"))
        )
        outputs = await bench.write(outputs) + (try bench.step(refused, to: .quoted, [invoice]))
        outputs = await bench.write(outputs)
        let unpaid = await bench.write(try bench.step(outputs, to: .running, [compute(3)]))
        #expect(!computes(unpaid))

        // Once it is paid, the same wish is granted.
        let settled = bench.tell(.invoiceSettled(key, bench.hash, paid: terms.amount))
        outputs = unpaid + (await bench.write(settled))
        let paid = await bench.write(try bench.step(outputs, to: .running, [compute(4)]))
        #expect(computes(paid))
    }
}
