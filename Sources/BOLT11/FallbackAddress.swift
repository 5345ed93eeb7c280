/// An on-chain address to pay when Lightning fails (BOLT #11 tag `f`).
package struct FallbackAddress: Hashable, Sendable {
    /// The forms of address a field can hold.
    package enum Kind: String, Sendable {
        case p2pkh, p2sh, p2wpkh, p2wsh, p2tr
        /// A witness program of version 2 to 16, which has no meaning yet.
        case witness
    }

    /// Up to 16 a witness version, 17 a public key's hash, 18 a script's hash.
    package let version: UInt8
    /// What the version is applied to: 20 bytes or 32; 2 to 40 from witness version 2 on.
    package let program: [UInt8]
    /// The form of address, which follows from the version and the program's length.
    package let kind: Kind

    /// Takes version and program; nil when no address has them.
    package init?(version: UInt8, program: [UInt8]) {
        switch (version, program.count) {
        case (0, 20): kind = .p2wpkh
        case (0, 32): kind = .p2wsh
        case (1, 32): kind = .p2tr
        case (2...16, 2...40): kind = .witness
        case (17, 20): kind = .p2pkh
        case (18, 20): kind = .p2sh
        default: return nil
        }
        self.version = version
        self.program = program
    }

    /// Reads an address of this network as people write it; nil when it is none.
    ///
    /// Witness programs of version 0 need the checksum of BIP 173, later ones that of BIP 350.
    package init?(address: String, on network: Network) {
        if let witness = try? Bech32.decodeEither(address) {
            guard witness.humanReadablePart == network.segwitPrefix,
                let version = witness.groups.first, version <= 16,
                witness.variant == (version == 0 ? .bech32 : .bech32m),
                let program = FiveBitGroups.bytes(witness.groups.dropFirst())
            else { return nil }
            self.init(version: version, program: program)
            return
        }
        guard let (version, hash) = Base58Check.decode(address) else { return nil }
        switch version {
        case network.base58Versions.publicKeyHash: self.init(version: 17, program: hash)
        case network.base58Versions.scriptHash: self.init(version: 18, program: hash)
        default: return nil
        }
    }

    /// The address as people write it on this network.
    package func address(on network: Network) -> String {
        switch kind {
        case .p2pkh:
            Base58Check.encode(version: network.base58Versions.publicKeyHash, hash: program)
        case .p2sh:
            Base58Check.encode(version: network.base58Versions.scriptHash, hash: program)
        case .p2wpkh, .p2wsh, .p2tr, .witness:
            Bech32.encode(
                network.segwitPrefix,
                [version] + FiveBitGroups.groups(program),
                version == 0 ? .bech32 : .bech32m
            )
        }
    }

    /// The largest version with a meaning; readers skip fields with a higher one.
    static let maximumVersion: UInt8 = 18
}
