/// Numbers as Go prints them in lnd's error texts.
enum GoNumber {
    /// Go's `%v` of a whole number of 100,000 or more as a `float64`: `3.1536e+07`.
    static func float(_ number: Int64) -> String {
        let text = "\(Double(number))"
        // From 2^54 on Swift writes the exponent itself, in Go's form.
        guard !text.contains("e") else { return text }
        let digits = text.dropLast(2)
        guard digits.count > 6 else { return String(digits) }
        var mantissa = String(digits)
        while mantissa.hasSuffix("0") { mantissa.removeLast() }
        let exponent = digits.count - 1
        if mantissa.count > 1 {
            mantissa.insert(".", at: mantissa.index(after: mantissa.startIndex))
        }
        return "\(mantissa)e+\(exponent < 10 ? "0" : "")\(exponent)"
    }
}
