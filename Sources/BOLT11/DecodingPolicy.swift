/// How much of BOLT #11 a reader insists on.
package enum DecodingPolicy: Sendable {
    /// Everything the BOLT asks of somebody who is about to pay.
    case strict

    /// What lnd's `DecodePayReq` asks, for a simulated lnd.
    ///
    /// A missing payment secret, unknown required features, unmet feature dependencies, a high S
    /// beside a tag `n`, and numbers with leading zero groups are let through.
    case lnd
}
