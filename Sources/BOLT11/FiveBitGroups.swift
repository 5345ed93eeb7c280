/// Groups of five bits, the unit of an invoice's data: from and to bytes and integers.
///
/// A group is a `UInt8` of value 0 ... 31; bits run from the most significant.
enum FiveBitGroups {
    /// The whole bytes in the groups.
    ///
    /// Nil unless what is left over is padding: fewer than five bits, all of them zero.
    static func bytes(_ groups: ArraySlice<UInt8>) -> [UInt8]? {
        let spare = groups.count * 5 % 8
        // BOLT #11 [field-padding-zero]
        guard spare < 5 else { return nil }
        if let last = groups.last, last & (1 << spare - 1) != 0 { return nil }
        return pack(groups, count: groups.count * 5 / 8)
    }

    /// The groups as bytes, with zero bits appended up to a whole byte.
    static func paddedBytes(_ groups: ArraySlice<UInt8>) -> [UInt8] {
        pack(groups, count: (groups.count * 5 + 7) / 8)
    }

    /// The bytes as groups, with zero bits appended up to a whole group.
    static func groups(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var groups: [UInt8] = []
        groups.reserveCapacity((bytes.count * 8 + 4) / 5)
        var (pending, bits): (UInt32, UInt32) = (0, 0)
        for byte in bytes {
            // At most 4 bits wait, so 12 are enough for what is read here.
            pending = (pending << 8 | UInt32(byte)) & 0xfff
            bits += 8
            while bits >= 5 {
                bits -= 5
                groups.append(UInt8(pending >> bits & 31))
            }
        }
        if bits > 0 { groups.append(UInt8(pending << (5 - bits) & 31)) }
        return groups
    }

    /// The groups as one big-endian number; nil when it needs more than 64 bits.
    static func integer(_ groups: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for group in groups {
            guard value >> 59 == 0 else { return nil }
            value = value << 5 | UInt64(group)
        }
        return value
    }

    /// A number in as few groups as it needs, at least one, as lnd writes it.
    static func groups(integer: UInt64) -> [UInt8] {
        // BOLT #11 [integers-written-minimal]
        let significant = UInt64.bitWidth - integer.leadingZeroBitCount
        return groups(integer: integer, count: max(1, (significant + 4) / 5))
    }

    /// The low bits of a number in exactly `count` groups.
    static func groups(integer: UInt64, count: Int) -> [UInt8] {
        (0..<count).map { UInt8(integer >> UInt64(5 * (count - 1 - $0)) & 31) }
    }

    private static func pack(_ groups: ArraySlice<UInt8>, count: Int) -> [UInt8] {
        // Without capacity the library writes the count into the one empty array that all threads
        // share. It is always 0, but the thread sanitizer is right to report it.
        guard count > 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            // Writes at most one byte for each eight bits read, the last one from what is left
            // over; stops at `count`, and says how many it wrote.
            var (pending, bits): (UInt32, UInt32) = (0, 0)
            for group in groups {
                pending = (pending << 5 | UInt32(group)) & 0xfff
                bits += 5
                if bits >= 8, initialized < count {
                    bits -= 8
                    buffer[initialized] = UInt8(truncatingIfNeeded: pending >> bits)
                    initialized += 1
                }
            }
            if bits > 0, initialized < count {
                buffer[initialized] = UInt8(truncatingIfNeeded: pending << (8 - bits))
                initialized += 1
            }
        }
    }
}
