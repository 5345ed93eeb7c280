import LCPCore
import LCPWire
import LightningTypes
import Testing

@Suite struct PriceListTests {
    private func price(
        _ request: V01.QuoteRequest,
        _ list: PriceList = Sample.prices
    ) -> UInt64? {
        guard case .priced(let task) = list.price(request) else { return nil }
        return task.price.msat
    }

    private func refusal(
        _ request: V01.QuoteRequest,
        _ list: PriceList = Sample.prices
    ) -> V01.ErrorCode? {
        guard case .refused(let failure) = list.price(request) else { return nil }
        return failure.code
    }

    @Test func `the reference's example costs 57355 msat`() throws {
        #expect(price(try Sample.request()) == 57_355)
    }

    @Test func `a smaller output cap is honoured and costs less`() throws {
        guard
            case .priced(let task) = Sample.prices.price(
                try Sample.request(temperatureMilli: 700, maxOutputTokens: 1000)
            )
        else {
            Issue.record("refused")
            return
        }
        // (6 x 1,750,000 + 1000 x 14,000,000) / 1,000,000 = 14010.5
        #expect(task.price == MilliSatoshi(msat: 14_011))
        #expect(task.maxOutputTokens == 1000)
        #expect(task.temperatureMilli == 700)
    }

    @Test func `what can't be honoured is refused, never ignored`() throws {
        var list = PriceList(profiles: [Sample.profile], maxOutputTokens: 4096)
        #expect(refusal(try Sample.request(maxOutputTokens: 4097), list) == .unsupportedParams)
        #expect(refusal(try Sample.request(maxOutputTokens: 4096), list) == nil)
        #expect(refusal(try Sample.request(maxOutputTokens: 0), list) == .unsupportedParams)
        #expect(refusal(try Sample.request(temperatureMilli: 2001), list) == .unsupportedParams)
        #expect(refusal(try Sample.request(temperatureMilli: 2000), list) == nil)
        var strict = Sample.profile
        strict.temperatureMilli = nil
        strict.maxOutputTokens = 100
        list = PriceList(profiles: [strict])
        #expect(refusal(try Sample.request(temperatureMilli: 0), list) == .unsupportedParams)
        #expect(refusal(try Sample.request(maxOutputTokens: 101), list) == .unsupportedParams)
        #expect(refusal(try Sample.request(maxOutputTokens: 100), list) == nil)
    }

    @Test func `a provider-wide cap below a profile's cap holds`() throws {
        var generous = Sample.profile
        generous.maxOutputTokens = 100_000
        let list = PriceList(profiles: [generous], maxOutputTokens: 10)
        #expect(refusal(try Sample.request(maxOutputTokens: 11), list) == .unsupportedParams)
        // (6 x 1,750,000 + 10 x 14,000,000) / 1,000,000 = 150.5, below the minimum
        #expect(price(try Sample.request(), list) == 1000)
    }

    @Test func `unknown tasks, profiles and params are refused with their own codes`() throws {
        let other = try V01.QuoteRequest(taskKind: "image", input: [1], params: nil)
        #expect(refusal(other) == .unsupportedTask)
        #expect(refusal(try Sample.request(profile: "gpt-6")) == .unsupportedTask)
        let unknown = [TLVRecord(type: 9, value: [1])]
        #expect(refusal(try Sample.request(unknown: unknown)) == .unsupportedParams)
        #expect(refusal(try Sample.request("")) == .unsupportedParams)
    }

    @Test func `a profile that only looks the same is another profile`() throws {
        let composed = ChatProfile(name: "caf\u{e9}", price: Sample.profile.price)
        let list = PriceList(profiles: [composed])
        #expect(refusal(try Sample.request(profile: "caf\u{e9}"), list) == nil)
        #expect(refusal(try Sample.request(profile: "cafe\u{301}"), list) == .unsupportedTask)
    }

    @Test func `minimum price and whole satoshis round up`() throws {
        let cheap = ChatProfile(
            name: "gpt-5.2",
            price: TokenPrice(inputMsatPerMillion: 1, outputMsatPerMillion: 1)
        )
        #expect(price(try Sample.request(), PriceList(profiles: [cheap])) == 1000)
        let whole = PriceList(
            profiles: [Sample.profile],
            minimumPrice: .zero,
            wholeSatoshis: true
        )
        #expect(price(try Sample.request(), whole) == 58_000)
        let least = PriceList(
            profiles: [cheap],
            minimumPrice: MilliSatoshi(msat: 1001),
            wholeSatoshis: true
        )
        #expect(price(try Sample.request(), least) == 2000)
    }

    @Test func `a price beyond all bitcoin is refused`() throws {
        let absurd = ChatProfile(
            name: "gpt-5.2",
            price: TokenPrice(inputMsatPerMillion: .max, outputMsatPerMillion: .max)
        )
        for tokens in [UInt32(200_000), .max] {
            let list = PriceList(
                profiles: [absurd],
                maxOutputTokens: tokens,
                wholeSatoshis: true
            )
            #expect(refusal(try Sample.request(), list) == .rateLimited)
        }
    }

    @Test func `the manifest's templates match exactly what is sold`() throws {
        let list = PriceList(profiles: [
            ChatProfile(name: "b", price: Sample.profile.price),
            ChatProfile(name: "a", price: Sample.profile.price),
        ])
        let templates = try list.templates()
        #expect(templates.map(\.chatParams?.profile) == ["a", "b"])
        for (profile, isSold) in [("a", true), ("b", true), ("c", false)] {
            let request = try Sample.request(profile: profile, maxOutputTokens: 5)
            #expect(templates.contains { $0.matches(request) } == isSold)
            #expect((refusal(request, list) == nil) == isSold)
        }
    }
}
