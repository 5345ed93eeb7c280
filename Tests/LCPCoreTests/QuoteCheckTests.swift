import BOLT11
import LCPCore
import LCPWire
import LightningCrypto
import LightningTypes
import Testing

@Suite struct QuoteCheckTests {
    private let price = MilliSatoshi(msat: 57_355)

    /// Judges the honest response after a change.
    private func defect(
        at now: UnixTime = Sample.now,
        rules: RequesterRules = RequesterRules(network: .regtest),
        _ change: (inout V01.QuoteResponse) throws -> Void = { _ in }
    ) throws -> QuoteDefect? {
        let request = try Sample.request()
        var response = try Sample.response(to: request, jobID: Sample.id(9))
        try change(&response)
        let check = QuoteCheck(
            request: try Sample.terms(
                of: request,
                jobID: Sample.id(9),
                price: .zero,
                quoteExpiry: UnixTime(seconds: 0)
            ),
            peer: try Sample.providerKey().publicKey,
            rules: rules
        )
        switch check.offer(from: response, at: now) {
        case .success(let offer):
            #expect(offer.price == response.price)
            #expect(offer.termsHash == response.termsHash)
            return nil
        case .failure(let defect): return defect
        }
    }

    @Test func `an honest quote may be paid`() throws {
        #expect(try defect() == nil)
    }

    // LCP v0.1 §5.3 [check-terms]
    @Test func `a quote for another price, expiry or task does not have our terms hash`() throws {
        #expect(try defect { $0.price = MilliSatoshi(msat: 57_356) } == .termsHash)
        let later = Sample.now.advanced(bySeconds: 301)
        #expect(try defect { $0.quoteExpiry = later } == .termsHash)
        #expect(try defect { $0.termsHash = Sample.id(1) } == .termsHash)
        let other = try Sample.request("something else")
        #expect(
            try defect { $0 = try Sample.response(to: other, jobID: Sample.id(9)) } == .termsHash
        )
        let mine = try Sample.request()
        #expect(
            try defect { $0 = try Sample.response(to: mine, jobID: Sample.id(8)) } == .termsHash
        )
    }

    // LCP v0.1 §5.3 [check-description-hash] [check-payee] [check-amount] [check-amount-stated]
    // LCP v0.1 §5.3 [check-invoice-expiry]
    @Test func `an invoice that is wrong in any way is refused before paying`() throws {
        let amount = price
        func replaced(
            amount: MilliSatoshi? = amount,
            description: InvoiceDescription? = nil,
            network: Network = .regtest,
            timestamp: UnixTime = Sample.now,
            expirySeconds: UInt64 = 295,
            minFinalCLTV: UInt64 = 80,
            features: Features = .lndInvoice,
            byStranger: Bool = false
        ) throws -> QuoteDefect? {
            try defect { response in
                response.paymentRequest = try Sample.invoice(
                    amount: amount,
                    description: description ?? .hash(response.termsHash.bytes),
                    network: network,
                    timestamp: timestamp,
                    expirySeconds: expirySeconds,
                    minFinalCLTV: minFinalCLTV,
                    features: features,
                    key: byStranger ? Sample.strangerKey() : nil
                )
            }
        }
        #expect(try replaced() == nil)
        #expect(try replaced(amount: nil) == .amountMissing)
        #expect(try replaced(amount: MilliSatoshi(msat: 57_354)) == .amount)
        #expect(try replaced(amount: MilliSatoshi(msat: 57_356)) == .amount)
        #expect(try replaced(description: .text("a job")) == .descriptionNotHashed)
        #expect(try replaced(description: .hash(Sample.preimage(5))) == .descriptionHash)
        #expect(try replaced(byStranger: true) == .payee)
        #expect(try replaced(network: .mainnet) == .invoice(.wrongNetwork))
        #expect(try replaced(expirySeconds: 305) == nil)
        #expect(try replaced(expirySeconds: 306) == .outlivesQuote)
        let past = UnixTime(seconds: Sample.now.seconds - 100)
        #expect(try replaced(timestamp: past, expirySeconds: 100) == .invoiceExpired)
        #expect(try replaced(timestamp: past, expirySeconds: 101) == nil)
        #expect(try replaced(minFinalCLTV: 288) == nil)
        #expect(try replaced(minFinalCLTV: 289) == .finalCLTV)
        #expect(try replaced(features: Features([8, 14, 30])) == .ampRequired)
        #expect(try replaced(features: Features([8, 14, 262])) == .payeeHidden)
        #expect(
            try replaced(features: Features([8, 14, 100])) == .invoice(.unknownRequiredFeature)
        )
        #expect(
            try defect { $0.paymentRequest = "lnbcrt1nonsense" } == .invoice(.badCharacter)
        )
    }

    @Test func `an invoice for nothing is as good as one without amount`() throws {
        let request = try Sample.request()
        let expiry = Sample.now.advanced(bySeconds: 300)
        for amount in [nil, .zero] as [MilliSatoshi?] {
            let found = try defect { response in
                response.price = .zero
                response.termsHash = try Sample.terms(
                    of: request,
                    jobID: Sample.id(9),
                    price: .zero,
                    quoteExpiry: expiry
                ).hash()
                response.paymentRequest = try Sample.invoice(
                    amount: amount,
                    description: .hash(response.termsHash.bytes)
                )
            }
            #expect(found == .amountMissing)
        }
    }

    @Test func `a quote that is over, or nearly, is not paid`() throws {
        #expect(try defect(at: Sample.now.advanced(bySeconds: 294)) == nil)
        #expect(try defect(at: Sample.now.advanced(bySeconds: 295)) == .invoiceExpired)
        #expect(try defect(at: Sample.now.advanced(bySeconds: 300)) == .quoteExpired)
    }

    @Test func `the last moment to pay leaves time to execute`() throws {
        let request = try Sample.request()
        let check = QuoteCheck(
            request: try Sample.terms(
                of: request,
                jobID: Sample.id(9),
                price: .zero,
                quoteExpiry: UnixTime(seconds: 0)
            ),
            peer: try Sample.providerKey().publicKey,
            rules: RequesterRules(network: .regtest)
        )
        let response = try Sample.response(to: request, jobID: Sample.id(9))
        let early = try check.offer(from: response, at: Sample.now).get()
        #expect(early.notAfter == Sample.now.advanced(bySeconds: 240))
        // With 40 s left the margin is half of them.
        let late = try check.offer(from: response, at: Sample.now.advanced(bySeconds: 260)).get()
        #expect(late.notAfter == Sample.now.advanced(bySeconds: 280))
    }
}
