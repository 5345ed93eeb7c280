import FoundationEssentials

/// Where an OpenAI-compatible server is.
package struct OpenAIEndpoint: Equatable, Sendable {
    /// The address that everything else is appended to, without a slash at its end.
    package let base: String
    /// Whether what is sent can be read on the way: plain HTTP to another machine.
    package let isExposed: Bool

    /// Reads an address.
    ///
    /// Nil for anything but http and https, and for an address with a user, a password, a query or
    /// a fragment: no secret may stand on a command line.
    ///
    /// - Parameter text: `https://host/v1`. Without a path it is `/v1`; any other path is taken as
    ///   it is.
    package init?(_ text: String) {
        guard let url = URLComponents(string: text), let scheme = url.scheme?.lowercased(),
            scheme == "http" || scheme == "https", let host = url.host, !host.isEmpty,
            url.user == nil, url.password == nil, url.query == nil, url.fragment == nil
        else { return nil }
        var base = text
        while base.hasSuffix("/") { base.removeLast() }
        self.base = url.path.allSatisfy({ $0 == "/" }) ? base + "/v1" : base
        let local = ["localhost", "127.0.0.1", "::1", "[::1]"]
        isExposed = scheme == "http" && !local.contains(host)
    }

    /// Where a request of a kind goes: `chat/completions`, `models`.
    func url(_ path: String) -> String { "\(base)/\(path)" }
}
