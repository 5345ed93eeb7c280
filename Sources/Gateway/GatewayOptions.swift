/// What a gateway listens to and how it behaves, without its keys.
package struct GatewayOptions: Equatable, Sendable {
    /// The address to listen to.
    package var host = "127.0.0.1"
    /// The port; 0 takes a free one.
    package var port = 8_484
    /// Which models there are besides profiles, and whom to ask.
    package var routes = ModelRoutes()
    /// What purchases may cost, and how many there may be.
    package var purchases = PurchaseLimits()
    /// What one client may send.
    package var requests = RequestLimits()
    /// Web pages of these origins may use the gateway; `*` for all.
    package var origins: Set<String> = []
    /// Whether `/metrics` is served.
    package var hasMetrics = false

    /// The defaults above.
    package init() {}

    /// Whether only this machine can reach the address.
    package var isLoopback: Bool { LoopbackHost.isLoopback(host) }
}
