import ArgumentParser

/// Where something listens: `host:port`.
struct HostAndPort: ExpressibleByArgument {
    let host: String
    let port: UInt16

    init?(argument: String) { self.init(argument: argument, lowestPort: 1) }

    /// Reads `host:port` or `[IPv6]:port`; nil for another form or a lower port.
    init?(argument: String, lowestPort: UInt16) {
        guard let colon = argument.lastIndex(of: ":"), colon > argument.startIndex,
            argument[argument.index(after: colon)...].allSatisfy(\.isNumber),
            let port = UInt16(argument[argument.index(after: colon)...]), port >= lowestPort
        else { return nil }
        host = argument[..<colon].filter { $0 != "[" && $0 != "]" }
        self.port = port
    }
}
