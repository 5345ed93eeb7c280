package import LCPWire
package import LightningTypes

/// What a provider sells, and for how much.
package struct PriceList: Equatable, Sendable {
    /// The profiles by name.
    package private(set) var profiles: [String: ChatProfile]
    /// The most output tokens of any job.
    package var maxOutputTokens: UInt32
    /// The least a job costs.
    package var minimumPrice: MilliSatoshi
    /// Whether prices are rounded up to whole satoshis.
    package var wholeSatoshis: Bool

    /// Makes a price list.
    ///
    /// The default minimum is 1000 msat, because channels usually carry no smaller payment.
    ///
    /// - Parameters:
    ///   - profiles: What is sold; of two with one name the later counts.
    ///   - maxOutputTokens: The most output tokens of any job.
    ///   - minimumPrice: The least a job costs.
    ///   - wholeSatoshis: Whether prices are rounded up to whole satoshis.
    package init(
        profiles: [ChatProfile],
        maxOutputTokens: UInt32 = 4096,
        minimumPrice: MilliSatoshi = MilliSatoshi(msat: 1000),
        wholeSatoshis: Bool = false
    ) {
        self.profiles = Dictionary(profiles.map { ($0.name, $0) }) { $1 }
        self.maxOutputTokens = maxOutputTokens
        self.minimumPrice = minimumPrice
        self.wholeSatoshis = wholeSatoshis
    }

    /// The templates for the manifest's `supported_tasks`, sorted by profile (LCP v0.1 §5.1).
    ///
    /// Each names only its profile, so that a request matches whatever else it asks for.
    ///
    /// - Returns: One template a profile.
    /// - Throws: `WireError` when a profile's name can't be written.
    package func templates() throws(WireError) -> [V01.TaskTemplate] {
        var templates: [V01.TaskTemplate] = []
        for name in profiles.keys.sorted() {
            let params = try V01.LLMChatParams(profile: name).encoded()
            templates.append(try V01.TaskTemplate(taskKind: V01.llmChat, params: params))
        }
        return templates
    }

    /// Prices a request, or says why it is not sold.
    ///
    /// Checked in this order: kind of task, unknown params, profile (this provider's own templates,
    /// LCP v0.1 §5.1), input, temperature, output cap, price. What a request asks for is honoured or
    /// refused, never ignored.
    ///
    /// - Parameter request: A valid request.
    /// - Returns: What to execute and its price, or the `lcp_error` to send.
    package func price(_ request: V01.QuoteRequest) -> PriceAnswer {
        guard let params = request.chatParams else {
            return .refused(V01.Failure(code: .unsupportedTask, message: "unsupported task_kind"))
        }
        guard params.unknown.isEmpty else {
            return .refused(
                V01.Failure(code: .unsupportedParams, message: "params hold unknown records")
            )
        }
        guard let profile = profile(named: params.profile) else {
            return .refused(V01.Failure(code: .unsupportedTask, message: "unsupported profile"))
        }
        guard !request.input.isEmpty else {
            return .refused(V01.Failure(code: .unsupportedParams, message: "input is empty"))
        }
        if let temperature = params.temperatureMilli {
            guard let range = profile.temperatureMilli, range.contains(temperature) else {
                return .refused(
                    V01.Failure(
                        code: .unsupportedParams,
                        message: "temperature_milli is outside this profile's limits"
                    )
                )
            }
        }
        let cap = min(maxOutputTokens, profile.maxOutputTokens ?? .max)
        let tokens = params.maxOutputTokens ?? cap
        guard tokens > 0, tokens <= cap else {
            return .refused(
                V01.Failure(
                    code: .unsupportedParams,
                    message: "max_output_tokens must be 1 to \(cap)"
                )
            )
        }
        let exact = profile.price.price(
            inputBytes: UInt64(request.input.count),
            maxOutputTokens: UInt64(tokens)
        )
        guard let price = exact.flatMap(rounded) else {
            return .refused(V01.Failure(code: .rateLimited, message: "price too large"))
        }
        return .priced(
            PricedTask(
                profile: profile.name,
                price: price,
                maxOutputTokens: tokens,
                temperatureMilli: params.temperatureMilli
            )
        )
    }

    /// Finds a profile by the bytes of its name; `String` takes canonical equivalents for equal.
    private func profile(named name: String) -> ChatProfile? {
        profiles[name].flatMap { $0.name.utf8.elementsEqual(name.utf8) ? $0 : nil }
    }

    /// Applies minimum and rounding; nil when no invoice could ask for so much.
    private func rounded(_ price: MilliSatoshi) -> MilliSatoshi? {
        var msat = max(price, minimumPrice).msat
        if wholeSatoshis, msat % 1000 != 0 {
            guard let sat = MilliSatoshi(sat: msat / 1000 + 1) else { return nil }
            msat = sat.msat
        }
        // An invoice without an amount would be payable with anything (LCP v0.1 §5.3).
        guard msat > 0, msat <= MilliSatoshi.totalSupply.msat else { return nil }
        return MilliSatoshi(msat: msat)
    }
}

/// What a price list says to a request.
package enum PriceAnswer: Equatable, Sendable {
    /// It is sold.
    case priced(PricedTask)
    /// It is not; this is the `lcp_error` to send.
    case refused(V01.Failure)
}

/// A task within a provider's limits, and what it costs.
package struct PricedTask: Equatable, Sendable {
    /// The profile to execute.
    package var profile: String
    /// What the job costs.
    package var price: MilliSatoshi
    /// The most output tokens: as the request asks, or the provider's cap.
    package var maxOutputTokens: UInt32
    /// The sampling temperature the request asks for, in thousandths; nil leaves it to the profile.
    package var temperatureMilli: UInt32?

    /// Makes a task.
    package init(
        profile: String,
        price: MilliSatoshi,
        maxOutputTokens: UInt32,
        temperatureMilli: UInt32?
    ) {
        self.profile = profile
        self.price = price
        self.maxOutputTokens = maxOutputTokens
        self.temperatureMilli = temperatureMilli
    }
}
