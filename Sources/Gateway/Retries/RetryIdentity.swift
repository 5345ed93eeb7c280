import LightningCrypto
package import LightningTypes

/// What makes two HTTP requests the same purchase.
///
/// SDKs repeat a request that failed or took too long, and say so only in
/// `x-stainless-retry-count`. A client that names its purchase sends `Idempotency-Key`; else the same
/// body of the same bearer is the same purchase when the client says that it repeats itself.
///
/// Everything is derived with the bearer's own token as the key, so that nobody who reads names of
/// submissions can try out prompts; and derived, not drawn, so that another process finds what an
/// earlier one has bought.
package struct RetryIdentity: Equatable, Sendable {
    /// Whether the client named the purchase.
    package let isNamed: Bool
    /// Whether the client says that it repeats itself.
    package let isRetry: Bool
    /// The bearer and the name or the body.
    package let base: Bytes32
    /// The bearer and the body.
    package let body: Bytes32

    /// How many windows a repetition without a name looks into: an hour, and what is left of the first.
    static let windows: UInt64 = 5

    /// Looks at a request.
    ///
    /// - Parameters:
    ///   - bearer: The bearer's token; empty without one.
    ///   - idempotencyKey: The header `Idempotency-Key`.
    ///   - retryCount: The header `x-stainless-retry-count`; 0 without one.
    ///   - body: The body as it came.
    package init(
        bearer: Redacted<[UInt8]>,
        idempotencyKey: String?,
        retryCount: Int,
        body: [UInt8]
    ) {
        let secret = bearer.reveal("it is the key of the purchase's name")
        isNamed = idempotencyKey != nil
        isRetry = retryCount > 0
        self.body = HMACSHA256.code(Array("body\n".utf8) + body, key: secret)
        base =
            idempotencyKey.map { HMACSHA256.code(Array("name\n\($0)".utf8), key: secret) }
            ?? self.body
    }

    /// Whether an earlier purchase is to be taken up when there is one.
    package var takesUp: Bool { isNamed || isRetry }

    /// The series that an earlier purchase can stand in, the newest first; a new one goes into the
    /// first.
    ///
    /// Without a name a series lasts a window, so that the numbers in it stay few.
    package func series(at now: UnixTime) -> [PurchaseSeries] {
        if isNamed { return [PurchaseSeries(base, window: 0)] }
        let window = PurchaseSeries.window(at: now)
        return (0..<Self.windows).map { PurchaseSeries(base, window: window &- $0) }
    }
}
