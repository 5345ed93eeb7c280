import LightningTypes

/// Times as Go prints them in lnd's error texts and reads them in macaroon caveats.
enum GoTime {
    /// Go's default format of a time, in UTC: `2026-11-22 19:20:35 +0000 UTC`.
    static func text(of time: UnixTime) -> String {
        let days = Int(clamping: time.seconds / 86_400)
        let second = time.seconds % 86_400
        let (year, month, day) = date(daysSince1970: days)
        let clock = [second / 3600, second / 60 % 60, second % 60].map { padded($0) }
        return "\(year)-\(padded(UInt64(month)))-\(padded(UInt64(day))) "
            + clock.joined(separator: ":") + " +0000 UTC"
    }

    /// Reads RFC 3339 in UTC, fractions dropped: `2026-11-22T19:20:35.5Z`; nil for anything else.
    static func rfc3339(_ text: Substring) -> UnixTime? {
        guard text.hasSuffix("Z") else { return nil }
        let whole = text.dropLast().split(separator: ".", omittingEmptySubsequences: false)[0]
        let halves = whole.split(separator: "T", omittingEmptySubsequences: false)
        guard halves.count == 2 else { return nil }
        let dates = halves[0].split(separator: "-").compactMap { UInt64($0) }
        let clock = halves[1].split(separator: ":").compactMap { UInt64($0) }
        guard dates.count == 3, clock.count == 3, (1970...9999).contains(dates[0]),
            (1...12).contains(dates[1]), (1...31).contains(dates[2]),
            clock[0] < 24, clock[1] < 60, clock[2] < 61
        else { return nil }
        let days = daysSince1970(year: Int(dates[0]), month: Int(dates[1]), day: Int(dates[2]))
        return UnixTime(seconds: UInt64(days) * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2])
    }

    private static func padded(_ number: UInt64) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }

    // Both directions count years from March, so that the leap day comes last.
    private static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return year * 365 + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
    }

    private static func date(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}
