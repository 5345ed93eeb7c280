import OpenAIChat

/// Which web pages may use the gateway; pure.
///
/// A page that somebody opens on this machine can let their browser post to a gateway that wants no
/// key. The browser keeps the answer from it, but the money would be gone. It says where the page
/// comes from in `Origin`, and with any `POST` of a page's it always does. A page that has its own
/// name resolve to this machine sends no `Origin` with a `GET` and one of its own with a `POST`; its
/// name stands in `Host`.
package struct PageRule: Equatable, Sendable {
    private let origins: Set<String>
    /// Names that `Host` may have besides those of this machine; nil for any.
    private let hosts: Set<String>?

    /// Takes what a gateway was told.
    ///
    /// - Parameters:
    ///   - options: The origins that it admits, and the host that it listens to.
    ///   - wantsKeys: Whether every request needs a key, which no page has unless it was given one.
    package init(_ options: GatewayOptions, wantsKeys: Bool) {
        origins = options.origins
        hosts = wantsKeys ? nil : [options.host.lowercased()]
    }

    /// Lets a request pass, or refuses it.
    ///
    /// - Parameters:
    ///   - origin: The header `Origin`; nil without one.
    ///   - host: The header `Host`; nil without one.
    /// - Throws: ``Refusal`` 403.
    package func check(origin: String?, host: String?) throws(Refusal) {
        if let origin, !admits(origin) { throw .foreignOrigin }
        guard let hosts else { return }
        guard let name = host.flatMap(Self.name),
            LoopbackHost.isLoopback(name) || hosts.contains(name)
        else { throw .foreignHost }
    }

    /// Whether pages of an origin may use the gateway.
    package func admits(_ origin: String) -> Bool {
        origins.contains(origin) || origins.contains("*")
    }

    /// The host of `host`, `host:port` or `[host]:port`, in lower case; nil for anything else.
    private static func name(_ text: String) -> String? {
        var name = text[...]
        if let colon = name.lastIndex(of: ":"), !name.hasSuffix("]") {
            guard UInt16(name[name.index(after: colon)...]) != nil else { return nil }
            name = name[..<colon]
        }
        if name.hasPrefix("["), name.hasSuffix("]") { name = name.dropFirst().dropLast() }
        return name.isEmpty ? nil : name.lowercased()
    }
}

/// Which hosts are this machine, whatever a resolver says.
enum LoopbackHost {
    /// Whether a host is `localhost`, `::1` or an address in 127.0.0.0/8.
    ///
    /// Not by its beginning: `127.0.0.1.example` is a name that anybody may own.
    static func isLoopback(_ host: some StringProtocol) -> Bool {
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127"
            && parts.allSatisfy { UInt8($0) != nil && $0.utf8.allSatisfy { $0 != 0x2b } }
    }
}
