package import BridgeProtocol

/// The address of a bridge over tcp: a host and the first of its ports.
///
/// Written `host:port`; an IPv6 address stands in brackets.
package struct BridgeAddress: Hashable, Sendable, CustomStringConvertible {
    /// A name or an address, without brackets.
    package let host: String
    /// The first port; the endpoints use this one and those behind it.
    package let port: UInt16

    /// Reads `host:port`; nil for anything else, and for a port with too few behind it.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        let digits = text[text.index(after: colon)...]
        guard !host.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = UInt16(digits), port > 0,
            port <= UInt16.max - BusEndpoint.maximumPortOffset
        else { return nil }
        self.host = String(host)
        self.port = port
    }

    /// The port of an endpoint.
    package func port(of endpoint: BusEndpoint) -> UInt16 { port + endpoint.portOffset }

    /// `host:port`.
    package var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
