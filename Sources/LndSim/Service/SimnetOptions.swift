/// A channel to open, as the command line writes it: `alice:bob:1000000` or
/// `alice:bob:1000000:250000`, with `:private` at the end when it is not announced.
package struct ChannelOption: Hashable, Sendable {
    /// The node that pays for it.
    package let opener: String
    /// The node at the other end.
    package let acceptor: String
    /// The size in satoshis.
    package let capacitySat: UInt64
    /// What the other end owns from the start, in satoshis.
    package let pushedSat: UInt64
    /// Whether only its ends know of it.
    package let isPrivate: Bool

    /// Reads `opener:acceptor:capacity[:pushed][:private]`; nil for other forms.
    package init?(_ text: String) {
        var parts = text.split(separator: ":", omittingEmptySubsequences: false)
        isPrivate = parts.count > 3 && parts.last == "private"
        if isPrivate { parts.removeLast() }
        guard parts.count == 3 || parts.count == 4, let capacity = UInt64(parts[2]) else {
            return nil
        }
        guard let pushed = parts.count == 4 ? UInt64(parts[3]) : 0 else { return nil }
        opener = String(parts[0])
        acceptor = String(parts[1])
        capacitySat = capacity
        pushedSat = pushed
    }
}

/// What a simulated network is to be.
package struct SimnetOptions: Sendable {
    /// Where everything is kept; made when missing.
    package var directory: String
    /// The nodes that shall exist, by name; those in the directory exist in any case.
    package var nodes: [String]
    /// The channels that shall exist; those in the directory exist in any case.
    package var channels: [ChannelOption]
    /// The first node's gRPC port, one more for each further; nil for free ones.
    package var portBase: UInt16?
    /// Makes keys, preimages and nonces repeatable.
    package var seed: UInt64?
    /// Whether nodes serve a temporary certificate until their wallet is unlocked, as lnd with
    /// `tlsencryptkey`.
    package var encryptsTLSKeys: Bool

    /// Takes all options.
    ///
    /// - Parameters:
    ///   - directory: Where everything is kept.
    ///   - nodes: The nodes that shall exist.
    ///   - channels: The channels that shall exist.
    ///   - portBase: The first node's gRPC port; nil for free ones.
    ///   - seed: Makes the network repeatable.
    ///   - encryptsTLSKeys: Whether locked nodes serve a temporary certificate.
    package init(
        directory: String,
        nodes: [String],
        channels: [ChannelOption] = [],
        portBase: UInt16? = nil,
        seed: UInt64? = nil,
        encryptsTLSKeys: Bool = false
    ) {
        self.directory = directory
        self.nodes = nodes
        self.channels = channels
        self.portBase = portBase
        self.seed = seed
        self.encryptsTLSKeys = encryptsTLSKeys
    }

    /// Refuses names that are no plain file names, and channels between unknown nodes.
    func check(existing: [String]) throws(SimnetError) {
        for name in nodes {
            let isPlain = name.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x7a).contains($0 | 0x20) || $0 == 0x2d
                    || $0 == 0x5f
            }
            guard isPlain, !name.isEmpty, name.utf8.count <= 32 else {
                throw SimnetError(
                    .invalidOption,
                    "a node's name has 1 to 32 letters, digits, - and _; not so \(name)"
                )
            }
        }
        guard Set(nodes).count == nodes.count else {
            throw SimnetError(.invalidOption, "a node is named twice")
        }
        let known = Set(nodes + existing)
        guard !known.isEmpty else { throw SimnetError(.invalidOption, "no node is named") }
        for channel in channels {
            for name in [channel.opener, channel.acceptor] where !known.contains(name) {
                throw SimnetError(.invalidOption, "a channel names \(name), which is no node")
            }
        }
        if let portBase, Int(portBase) + known.count > 65_536 {
            throw SimnetError(.invalidOption, "\(portBase) leaves too few ports")
        }
    }
}
