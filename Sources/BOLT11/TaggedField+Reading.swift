import LightningCrypto
import LightningTypes

// Each reads the data of a field as one form. Errors name the field's letter.
extension TaggedField {
    func bytes() throws(BOLT11Error) -> [UInt8] {
        try bytes(groups)
    }

    /// For fields whose length is known to be 52 groups.
    func bytes32() throws(BOLT11Error) -> Bytes32 {
        // 260 bits without their 4 of padding, which `bytes` has checked.
        guard let value = Bytes32(try bytes()) else {
            preconditionFailure("52 groups without their padding are 32 bytes")
        }
        return value
    }

    func text() throws(BOLT11Error) -> String {
        // BOLT #11 [d-is-utf8]
        guard let text = String(validating: try bytes(), as: UTF8.self) else {
            throw error(.badUTF8, "the text is not UTF-8", lnd: "description is not valid UTF-8")
        }
        return text
    }

    func publicKey() throws(BOLT11Error) -> NodeID {
        guard let key = NodeID(try bytes()), key.isOnCurve else {
            throw error(.badPublicKey, "no point of the curve")
        }
        return key
    }

    /// A big-endian number in at most 13 groups; one zero group is how lnd writes zero.
    func integer(_ policy: DecodingPolicy) throws(BOLT11Error) -> UInt64 {
        // BOLT #11 [integers-minimal]
        guard policy == .lnd || groups.count < 2 || groups.first != 0 else {
            throw error(.leadingZeroGroup, "the number begins with a zero group")
        }
        guard groups.count <= 13, let value = FiveBitGroups.integer(groups) else {
            throw error(
                .integerTooLarge,
                "the number does not fit 64 bits",
                lnd: "cannot parse data of length \(groups.count) as uint64"
            )
        }
        return value
    }

    func features(_ policy: DecodingPolicy) throws(BOLT11Error) -> Features {
        // BOLT #11 [features-minimal]
        guard policy == .lnd || groups.first != 0 else {
            throw error(.leadingZeroGroup, "the bits begin with a zero group")
        }
        return Features(groups: groups)
    }

    /// The address, or nil when its version has no meaning.
    func fallback() throws(BOLT11Error) -> FallbackAddress? {
        guard let version = groups.first else {
            throw error(.badFallback, "no version", lnd: "empty fallback address field")
        }
        // BOLT #11 [fallback-unknown-skipped]
        guard version <= FallbackAddress.maximumVersion else { return nil }
        let program = try bytes(groups.dropFirst())
        guard let address = FallbackAddress(version: version, program: program) else {
            throw error(
                .badFallback,
                "version \(version) does not go with \(program.count) bytes",
                lnd: version == 0 ? "unknown witness program length \(program.count)" : nil
            )
        }
        return address
    }

    func routeHint() throws(BOLT11Error) -> RouteHint {
        let bytes = try bytes()
        guard !bytes.isEmpty else {
            throw error(.badRouteHint, "no hop", lnd: "route hint field contains no hop data")
        }
        // BOLT #11 [route-hint-whole-hops]
        guard bytes.count % RouteHop.length == 0 else {
            throw error(
                .badRouteHint,
                "\(bytes.count) bytes, no multiple of \(RouteHop.length)",
                lnd: "length is not a multiple of hop hint length"
            )
        }
        var hops: [RouteHop] = []
        for start in stride(from: 0, to: bytes.count, by: RouteHop.length) {
            guard let hop = RouteHop(bytes[start..<start + RouteHop.length]), hop.nodeID.isOnCurve
            else { throw error(.badPublicKey, "hop \(hops.count) names no point of the curve") }
            hops.append(hop)
        }
        // A field has 10 bits of length, and no bytes or part of a hop were refused above.
        guard let hint = RouteHint(hops: hops) else {
            preconditionFailure("1023 groups hold at most 12 hops, and there is one at least")
        }
        return hint
    }

    private func bytes(_ groups: ArraySlice<UInt8>) throws(BOLT11Error) -> [UInt8] {
        guard let bytes = FiveBitGroups.bytes(groups) else {
            throw error(
                .badPadding,
                "what follows the last whole byte is not up to four zero bits",
                lnd: "invalid incomplete group"
            )
        }
        return bytes
    }

    private func error(
        _ kind: BOLT11Error.Kind,
        _ reason: String,
        lnd lndText: String? = nil
    ) -> BOLT11Error {
        BOLT11Error(kind, "tag \(letter): \(reason)", lnd: lndText)
    }
}
