import BOLT11
import LCPCore
import LCPTesting
import LCPWire
import LightningCrypto
import LightningTypes
import Testing

/// Fixed values that the tests of both machines share.
enum Sample {
    static let now = UnixTime(seconds: 1_767_225_600)
    static let prompt = "Say hello in one word."

    static func providerKey() throws -> SecretKey {
        try #require(SecretKey([UInt8](repeating: 7, count: 32)))
    }

    static func strangerKey() throws -> SecretKey {
        try #require(SecretKey([UInt8](repeating: 8, count: 32)))
    }

    static func peer() throws -> NodeID { try strangerKey().publicKey }

    static func id<ID: Identifier32>(_ byte: UInt8) -> ID {
        ID(Bytes32([UInt8](repeating: byte, count: 32)) ?? .zero)
    }

    static func preimage(_ byte: UInt8) -> Bytes32 {
        Bytes32([UInt8](repeating: byte, count: 32)) ?? .zero
    }

    static func paymentHash(_ byte: UInt8) -> PaymentHash {
        PaymentHash(SHA256.hash(preimage(byte).bytes))
    }

    static func request(
        _ prompt: String = prompt,
        profile: String = "gpt-5.2",
        temperatureMilli: UInt32? = nil,
        maxOutputTokens: UInt32? = nil,
        unknown: [TLVRecord] = []
    ) throws -> V01.QuoteRequest {
        try V01.QuoteRequest(
            taskKind: V01.llmChat,
            input: Array(prompt.utf8),
            params: V01.LLMChatParams(
                profile: profile,
                temperatureMilli: temperatureMilli,
                maxOutputTokens: maxOutputTokens,
                unknown: unknown
            ).encoded()
        )
    }

    /// The profile of the reference implementation's built-in table.
    static let profile = ChatProfile(
        name: "gpt-5.2",
        price: TokenPrice(inputMsatPerMillion: 1_750_000, outputMsatPerMillion: 14_000_000)
    )

    static let prices = PriceList(profiles: [profile])

    static let stranger = PeerFacts(
        hasChannel: false,
        openJobs: 0,
        isWithinRate: true,
        maxPayloadBytes: 16384
    )

    static func context(
        at now: UnixTime = now,
        fresh: UInt8 = 0xf0,
        peer: PeerFacts = stranger,
        rules: ProviderRules = ProviderRules(prices: prices)
    ) -> ProviderContext {
        ProviderContext(now: now, freshMessageID: id(fresh), peer: peer, rules: rules)
    }

    static func requesterContext(
        at now: UnixTime = now,
        fresh: UInt8 = 0xf0,
        rules: RequesterRules = RequesterRules(network: .regtest)
    ) -> RequesterContext {
        RequesterContext(
            now: now,
            freshMessageID: id(fresh),
            freshJobID: id(fresh ^ 0x80),
            rules: rules
        )
    }

    /// The terms of a request at a price.
    static func terms(
        of request: V01.QuoteRequest,
        jobID: JobID,
        price: MilliSatoshi,
        quoteExpiry: UnixTime
    ) throws -> V01.Terms {
        try V01.Terms(
            jobID: jobID,
            price: price,
            quoteExpiry: quoteExpiry,
            taskKind: request.taskKind,
            input: request.input,
            params: request.params
        )
    }

    /// An invoice as lnd makes it.
    static func invoice(
        amount: MilliSatoshi?,
        description: InvoiceDescription,
        paymentHash: PaymentHash = paymentHash(1),
        network: Network = .regtest,
        timestamp: UnixTime = now,
        expirySeconds: UInt64 = 295,
        minFinalCLTV: UInt64 = 80,
        features: Features = .lndInvoice,
        key: SecretKey? = nil
    ) throws -> String {
        try InvoiceDraft(
            network: network,
            amount: amount,
            timestamp: timestamp,
            paymentHash: paymentHash,
            paymentSecret: preimage(2),
            description: description,
            minFinalCLTV: minFinalCLTV,
            expirySeconds: expirySeconds,
            features: features
        ).signed(with: key ?? providerKey())
    }

    /// An honest provider's response to a request.
    static func response(
        to request: V01.QuoteRequest,
        jobID: JobID,
        price: MilliSatoshi = MilliSatoshi(msat: 57_355),
        at now: UnixTime = now,
        paymentHash: PaymentHash = paymentHash(1)
    ) throws -> V01.QuoteResponse {
        let expiry = now.advanced(bySeconds: 300)
        let hash = try terms(of: request, jobID: jobID, price: price, quoteExpiry: expiry).hash()
        return V01.QuoteResponse(
            price: price,
            quoteExpiry: expiry,
            termsHash: hash,
            paymentRequest: try invoice(
                amount: price,
                description: .hash(hash.bytes),
                paymentHash: paymentHash,
                timestamp: now
            )
        )
    }
}
