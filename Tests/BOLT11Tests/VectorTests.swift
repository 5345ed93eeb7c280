import BOLT11
import LightningCrypto
import LightningTypes
import Testing

@Suite struct VectorTests {
    // BOLT #11 [expiry-default] [final-cltv-default] [features-odd-ignored]
    @Test(arguments: try Vectors.all.allValid)
    func `a valid invoice decodes to what it says`(_ vector: Vectors.Valid) throws {
        let invoice = try BOLT11Invoice(decoding: vector.invoice)
        #expect(Expectation(invoice) == vector.expect)
        #expect(try BOLT11Invoice(decoding: vector.invoice, policy: .lnd) == invoice)
    }

    @Test(arguments: try Vectors.all.allValid)
    func `a decoded invoice is written again to the same text`(_ vector: Vectors.Valid) throws {
        let invoice = try BOLT11Invoice(decoding: vector.invoice)
        let text = vector.invoice.lowercased()
        #expect(try invoice.draft.encoded(with: invoice.signature) == text)
        let signedAgain = try invoice.draft.signed(with: specKey())
        #expect((signedAgain == text) == vector.reencodeWithTestKeyIsIdentical)
    }

    // BOLT #11 [n-low-s]
    @Test(arguments: try Vectors.all.allInvalid)
    func `an invalid invoice is refused for its fault`(_ vector: Vectors.Invalid) throws {
        let error = try #require(throws: BOLT11Error.self) {
            try BOLT11Invoice(decoding: vector.invoice)
        }
        #expect(error.kind.rawValue == vector.failure)
        #expect(!"\(error)".contains(vector.invoice.suffix(8)))
    }

    @Test(arguments: try Vectors.all.allInvalid)
    func `lnd's policy accepts what lnd's DecodePayReq accepts`(_ vector: Vectors.Invalid) throws {
        let invoice = try? BOLT11Invoice(decoding: vector.invoice, policy: .lnd)
        #expect((invoice == nil) == (vector.lndDecodepayreq == "error"))
    }

    @Test func `the vectors are all there`() throws {
        let vectors = try Vectors.all
        #expect(vectors.valid.count == 16 && vectors.extraValid.count == 9)
        #expect(vectors.invalid.count == 10 && vectors.extraInvalid.count == 6)
        #expect(vectors.amounts.count == 16 && vectors.amountEncodingShortest.count == 12)
        let kinds = Set(BOLT11Error.Kind.allCases.map(\.rawValue))
        #expect(kinds.isSuperset(of: vectors.failureKinds))
        #expect(Features.known == Set(vectors.knownRequiredFeaturesAssumed))
    }

    @Test func `amounts are read exactly or refused`() throws {
        for vector in try Vectors.all.amounts {
            let read = Result { () throws(BOLT11Error) in
                try InvoiceAmount.decode(vector.hrpAmount)
            }
            switch (read, vector.failure) {
            case (.success(let amount), nil): #expect(amount.msat == vector.amountMsat)
            case (.success(let amount), "leading_zero_writer_must_not; readers such as lnd accept"):
                #expect(try InvoiceAmount.encode(amount) != vector.hrpAmount)
            case (.failure(let error), "mixed_case_or_invalid_multiplier"):
                #expect(error.kind == .invalidMultiplier)
            case (.failure(let error), let failure):
                #expect(error.kind.rawValue == failure, "\(vector.hrpAmount)")
            case (.success, _): Issue.record("\(vector.hrpAmount) was accepted")
            }
        }
    }

    // BOLT #11 [amount-written-shortest]
    @Test func `amounts are written in their shortest form`() throws {
        for vector in try Vectors.all.amountEncodingShortest {
            let amount = MilliSatoshi(msat: vector.amountMsat)
            #expect(try InvoiceAmount.encode(amount) == vector.shortest)
            #expect(try InvoiceAmount.decode(vector.shortest) == amount)
        }
    }
}
