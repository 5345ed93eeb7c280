import BOLT11
import Foundation
import LCPWire
import LightningCrypto
import LightningTypes
import LndRPC
import LocalNetwork
import Testing

/// Invoices that must not be paid, by a provider that means ill or does not know better.
@Suite(.timeLimit(.minutes(30))) struct WrongInvoiceTests {
    /// What is wrong with a quote.
    enum Wrong: CaseIterable {
        case termsHash, hash, text, payee, amount, noAmount, outlives, network, checksum
        case nothing

        /// What the buyer must say about it.
        var words: String {
            switch self {
            case .termsHash: "its terms hash is not that of the request"
            case .hash: "bound to other terms"
            case .text: "a text where the terms hash must stand"
            case .payee: "pays another node"
            case .amount: "asks for another amount"
            case .noAmount: "leaves the amount open"
            case .outlives: "outlives it"
            case .network, .checksum: "breaks BOLT #11"
            case .nothing: ""
            }
        }
    }

    @Test func `a wrong invoice is refused before any payment, in each of its ways`()
        async throws
    {
        try await Market.run { _ in
            var plan = LocalNetworkPlan.patientMarket()
            plan.nodes = [.init("alice", requesters: 1), .bare("mallory"), .bare("carol")]
            plan.channels = ["alice:mallory:1000000", "alice:carol:1000000"]
            return plan
        } _: { market in
            let alice = try await market.network.node("alice").id
            try await ScriptedPeer.play("carol", in: market) { carol in
                try await ScriptedPeer.play("mallory", in: market) { mallory in
                    try await mallory.sendManifest(to: alice, profiles: ["demo"])
                    for wrong in Wrong.allCases where wrong != .nothing {
                        async let asked = market.ask("hello", of: "mallory")
                        let job = try await Self.quote(wrong, mallory, carol, to: alice)
                        // The provider is told, so that it can give its invoice up.
                        let told = try await mallory.answer(to: job)
                        #expect(told.type == .cancel, "\(wrong)")
                        let outcome = try await asked
                        #expect(outcome.exit == 11, "\(wrong): \(outcome.errors)")
                        let failure = try outcome.object()["failure"] as? NSDictionary
                        #expect(failure?["code"] as? String == "defective-quote", "\(wrong)")
                        let detail = failure?["detail"] as? String ?? ""
                        #expect(detail.contains(wrong.words), "\(wrong): \(detail)")
                    }
                    #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == 0)

                    // So that this test can fail: the right invoice is paid.
                    async let asked = market.ask("hello", of: "mallory")
                    let job = try await Self.quote(.nothing, mallory, carol, to: alice)
                    try await eventually("the invoice is paid") {
                        try await mallory.lnd.listInvoices().elements.contains {
                            $0.state == .settled
                        }
                    }
                    try await mallory.send(
                        .result(
                            ScriptedPeer.envelope(job),
                            V01.Result(result: Array("bought".utf8), contentType: nil)
                        ),
                        to: alice
                    )
                    let outcome = try await asked
                    #expect(outcome.exit == 0, "\(outcome.errors)")
                    #expect(try outcome.object()["result"] as? String == "bought")
                    #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == 1)
                }
            }
        }
    }

    /// Answers the next request with a quote that is wrong in one way.
    private static func quote(
        _ wrong: Wrong,
        _ mallory: ScriptedPeer,
        _ carol: ScriptedPeer,
        to alice: NodeID
    ) async throws -> JobID {
        let (envelope, request) = try await mallory.quoteRequest()
        var quote = try mallory.quote(envelope, request)
        quote.paymentRequest = try await invoice(wrong, for: quote, mallory, carol)
        if wrong == .termsHash { quote.termsHash = TermsHash(ScriptedPeer.randomBytes()) }
        let answer = ScriptedPeer.envelope(envelope.jobID)
        try await mallory.send(.quoteResponse(answer, quote), to: alice)
        return envelope.jobID
    }

    private static func invoice(
        _ wrong: Wrong,
        for quote: V01.QuoteResponse,
        _ mallory: ScriptedPeer,
        _ carol: ScriptedPeer
    ) async throws -> String {
        var order = NewInvoice(
            amount: quote.price,
            description: .hash(quote.termsHash.bytes),
            expirySeconds: 200
        )
        var payee = mallory
        switch wrong {
        case .termsHash, .checksum, .nothing: break
        case .hash: order.description = .hash(ScriptedPeer.randomBytes())
        case .text: order.description = .text(Redacted(quote.termsHash.hex))
        case .payee: payee = carol
        case .amount: order.amount = MilliSatoshi(msat: quote.price.msat + 1)
        case .noAmount: order.amount = nil
        case .outlives: order.expirySeconds = 3_600
        case .network: return try mainnetInvoice(for: quote)
        }
        let invoice = try await payee.lnd.addInvoice(order)
        let text = invoice.paymentRequest.reveal("it is the test's own")
        guard wrong == .checksum else { return text }
        return String(text.dropLast()) + (text.hasSuffix("q") ? "p" : "q")
    }

    /// An invoice of another network, right in all else but its signer.
    private static func mainnetInvoice(for quote: V01.QuoteResponse) throws -> String {
        let key = try #require(SecretKey(ScriptedPeer.randomBytes().bytes))
        let draft = try InvoiceDraft(
            network: .mainnet,
            amount: quote.price,
            timestamp: UnixTime.wall,
            paymentHash: PaymentHash(ScriptedPeer.randomBytes()),
            paymentSecret: ScriptedPeer.randomBytes(),
            description: .hash(quote.termsHash.bytes),
            expirySeconds: 100
        )
        return try draft.signed(with: key)
    }
}
