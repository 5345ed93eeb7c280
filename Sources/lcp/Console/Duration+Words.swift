import LCPInspector

extension Duration {
    /// Whole microseconds; 0 for a negative duration.
    var microseconds: UInt64 {
        let parts = components
        return UInt64(clamping: parts.seconds) * 1_000_000
            + UInt64(clamping: parts.attoseconds / 1_000_000_000_000)
    }

    /// `12.345 ms`.
    var milliseconds: String { "\(JSONText.decimal(thousandths: microseconds)) ms" }
}
