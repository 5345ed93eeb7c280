import LCPCore
import LCPTesting
import LightningTypes
import Testing

@Suite struct TokenPriceTests {
    private struct Vectors: Decodable {
        var priceApproxV1: [Case]
    }

    private struct Case: Decodable {
        var inputBytes: UInt64
        var inputTokens: UInt64
        var maxOutputTokens: UInt64
        var inputMsatPerMtok: UInt64
        var outputMsatPerMtok: UInt64
        var priceMsat: UInt64
    }

    @Test func `every price of the vectors is reproduced`() throws {
        let cases = try Fixture.decode(Vectors.self, named: "lcp.json").priceApproxV1
        #expect(cases.count == 5)
        for vector in cases {
            let rates = TokenPrice(
                inputMsatPerMillion: vector.inputMsatPerMtok,
                outputMsatPerMillion: vector.outputMsatPerMtok
            )
            #expect(TokenPrice.inputTokens(inputBytes: vector.inputBytes) == vector.inputTokens)
            #expect(
                rates.price(
                    inputBytes: vector.inputBytes,
                    maxOutputTokens: vector.maxOutputTokens
                ) == MilliSatoshi(msat: vector.priceMsat)
            )
        }
    }

    @Test func `a price above 64 bits is nil, the largest below it is exact`() {
        let rates = TokenPrice(inputMsatPerMillion: .max, outputMsatPerMillion: .max)
        #expect(rates.price(inputBytes: .max, maxOutputTokens: .max) == nil)
        #expect(rates.price(inputBytes: 4_000_000, maxOutputTokens: 1) == nil)
        #expect(
            rates.price(inputBytes: 4_000_000, maxOutputTokens: 0) == MilliSatoshi(msat: .max)
        )
        #expect(rates.price(inputBytes: 0, maxOutputTokens: 0) == .zero)
    }
}
