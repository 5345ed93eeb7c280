package import BOLT11

/// Payment requests, as the nodes of a simulated network read them.
package enum PaymentRequests {
    /// The network of all simulated nodes.
    package static let network = Network.regtest

    /// DecodePayReq: reads an invoice as loosely as lnd does; needs no network, so no lock.
    ///
    /// - Parameter text: The invoice.
    /// - Returns: The invoice; its signature is good.
    /// - Throws: ``LndFault`` with lnd's text, where lnd has one.
    package static func decode(_ text: String) throws(LndFault) -> BOLT11Invoice {
        do {
            return try BOLT11Invoice(decoding: text, policy: .lnd, network: network)
        } catch {
            throw .unknown(error.lndText ?? error.detail)
        }
    }
}
