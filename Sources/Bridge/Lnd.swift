package import GRPCNGHTTP2
package import LndRPC

/// The bridge's lnd: the typed client over our own wire.
package typealias Lnd = LndNode<HTTP2ClientTransport>
