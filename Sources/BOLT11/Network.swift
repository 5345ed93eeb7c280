/// A Bitcoin network, as an invoice's prefix names it (BOLT #11, "Human-Readable Part").
package enum Network: String, CaseIterable, Hashable, Sendable {
    case mainnet, testnet, signet, regtest
    /// Known to lnd only, not to BOLT #11.
    case simnet

    /// How an invoice of the network begins: `lnbc` and so on.
    package var prefix: String { "ln" + currency }

    /// Reads the network's name in lnd's `GetInfo`; nil for an unknown one.
    ///
    /// `testnet4` is ``testnet``: their invoices have the same prefix.
    package init?(lndChainNetwork name: String) {
        self.init(rawValue: name == "testnet3" || name == "testnet4" ? "testnet" : name)
    }

    /// What stands between `ln` and the amount.
    var currency: String {
        switch self {
        case .mainnet: "bc"
        case .testnet: "tb"
        case .signet: "tbs"
        case .regtest: "bcrt"
        case .simnet: "sb"
        }
    }

    /// The human-readable part of the network's segwit addresses (BIP 173).
    var segwitPrefix: String {
        // Signet's addresses can't be told from testnet's; its invoices can.
        self == .signet ? "tb" : currency
    }

    /// The version bytes of the network's base58 addresses.
    var base58Versions: (publicKeyHash: UInt8, scriptHash: UInt8) {
        switch self {
        case .mainnet: (0x00, 0x05)
        case .testnet, .signet, .regtest: (0x6f, 0xc4)
        case .simnet: (0x3f, 0x7b)
        }
    }

    /// Divides a lower-case human-readable part into its network and its amount.
    ///
    /// The amount may be empty, else it begins with a digit.
    static func split(
        _ humanReadablePart: String,
        expected: Network?
    ) throws(BOLT11Error) -> (network: Network, amount: Substring) {
        var misplacedLetter: Character?
        // An amount begins with a digit, so at most one network fits: `lntbs` is signet, not testnet
        // with a strange amount.
        for network in Network.allCases where humanReadablePart.hasPrefix(network.prefix) {
            let amount = humanReadablePart.dropFirst(network.prefix.count)
            guard let first = amount.first, !("0"..."9").contains(first) else {
                // BOLT #11 [network-own]
                guard expected == nil || expected == network else {
                    throw BOLT11Error(
                        .wrongNetwork,
                        "an invoice of \(network)",
                        lnd: lndRefusal(expected)
                    )
                }
                return (network, amount)
            }
            if amount.count == 1, misplacedLetter == nil { misplacedLetter = first }
        }
        if let letter = misplacedLetter {
            throw BOLT11Error(
                .invalidMultiplier,
                "the amount has no digits before its last letter",
                lnd: "munp".contains(letter)
                    ? "number must be non-empty" : "unknown multiplier \(letter)"
            )
        }
        // BOLT #11 [prefix-known]
        throw BOLT11Error(
            .unknownPrefix,
            "the prefix names no network known here",
            lnd: humanReadablePart.utf8.count < 3
                ? "hrp too short"
                : humanReadablePart.hasPrefix("ln")
                    ? lndRefusal(expected) : "prefix should be \"ln\""
        )
    }

    private static func lndRefusal(_ network: Network?) -> String? {
        network.map {
            // lnd's chain parameters call it so to this day.
            let name = $0 == .testnet ? "testnet3" : $0.rawValue
            return "invoice not for current active network '\(name)'"
        }
    }
}

extension Network: CustomStringConvertible {
    /// The network's name in lower case.
    package var description: String { rawValue }
}
