import BusClient

/// Who sells what, as of a moment ago.
actor SellerList {
    private let client: BusClient
    private var known: [Seller]?
    private var askedAt: ContinuousClock.Instant?

    /// How old the list may be.
    private static let age = Duration.seconds(1)

    init(_ client: BusClient) { self.client = client }

    /// The peers that sell chat.
    ///
    /// - Throws: ``Refusal`` 503 when the bridge does not say.
    func now() async throws -> [Seller] {
        if let known, let askedAt, .now - askedAt < Self.age { return known }
        // Whoever comes while this is asked for takes the old list, if there is one.
        askedAt = .now
        do {
            let sellers = try await client.peers().compactMap { Seller($0) }
            known = sellers
            return sellers
        } catch let error as BusClientError {
            // A list of a bridge that is gone would send requests to nobody.
            known = nil
            throw Refusal(beforePayment: error)
        }
    }
}
