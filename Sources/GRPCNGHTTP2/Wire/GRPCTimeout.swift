/// The value of `grpc-timeout`: up to eight digits and a unit.
enum GRPCTimeout {
    // In ascending order; each with its length in nanoseconds.
    private static let units: [(letter: Character, nanoseconds: Int64)] = [
        ("n", 1), ("u", 1_000), ("m", 1_000_000), ("S", 1_000_000_000),
        ("M", 60_000_000_000), ("H", 3_600_000_000_000),
    ]

    /// Writes a duration in the finest unit that fits, rounded up; none or less becomes `0n`.
    static func encode(_ duration: Duration) -> String {
        guard duration > .zero else { return "0n" }
        for unit in units {
            let amount = (duration / .nanoseconds(unit.nanoseconds)).rounded(.up)
            if amount <= 99_999_999 { return "\(Int64(amount))\(unit.letter)" }
        }
        return "99999999H"
    }

    /// Reads a duration; nil for anything the specification does not allow.
    static func decode(_ text: String) -> Duration? {
        let digits = text.utf8.dropLast()
        guard (1...8).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let amount = Int64(text.dropLast()),
            let unit = units.first(where: { $0.letter == text.last })
        else { return nil }
        // Eight digits of hours pass the range of nanoseconds, not that of seconds.
        if unit.nanoseconds >= 1_000_000_000 {
            return .seconds(amount * (unit.nanoseconds / 1_000_000_000))
        }
        return .nanoseconds(amount * unit.nanoseconds)
    }
}
