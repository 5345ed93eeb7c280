/// A benchmark's figure that is kept in `Tests/Benchmarks/baseline.tsv`.
///
/// Only figures that don't depend on how fast a machine is: ratios of two things measured in one run,
/// counts, bytes for each job.
package struct RatioLine: Sendable {
    /// Which of two values is the better one.
    package enum Better: String, Sendable {
        /// The smaller one.
        case lower
        /// The larger one.
        case higher
    }

    /// Prints a figure for `Tests/Benchmarks/compare`: `ratio`, name, value and the better direction,
    /// with tabs between.
    ///
    /// - Parameters:
    ///   - name: What is measured; stable, unique over all benchmarks, without tabs.
    ///   - value: The figure.
    ///   - better: The direction in which it gets better.
    package static func print(_ name: String, _ value: Double, better: Better) {
        let thousandths = (value * 10_000).rounded() / 10_000
        Swift.print("ratio\t\(name)\t\(thousandths)\t\(better.rawValue)")
    }
}
