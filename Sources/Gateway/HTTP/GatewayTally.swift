import Synchronization

/// What the gateway has done since its start, for `/metrics`.
final class GatewayTally: Sendable {
    private struct Counts {
        var answers: [Int: UInt64] = [:]
        var underWay: Int64 = 0
        var streams: Int64 = 0
    }

    private let counts = Mutex(Counts())

    func begin() { counts.withLock { $0.underWay += 1 } }

    func end(status: Int) {
        counts.withLock { counts in
            counts.underWay -= 1
            counts.answers[status, default: 0] += 1
        }
    }

    func openStream() { counts.withLock { $0.streams += 1 } }

    func closeStream() { counts.withLock { $0.streams -= 1 } }

    /// In Prometheus' text format.
    var text: String {
        let counts = counts.withLock { $0 }
        var lines = [
            "# HELP lcp_gateway_answers_total Answers by their HTTP status.",
            "# TYPE lcp_gateway_answers_total counter",
        ]
        for (status, count) in counts.answers.sorted(by: { $0.key < $1.key }) {
            lines.append("lcp_gateway_answers_total{status=\"\(status)\"} \(count)")
        }
        lines += [
            "# HELP lcp_gateway_requests Requests whose answer has not begun.",
            "# TYPE lcp_gateway_requests gauge", "lcp_gateway_requests \(counts.underWay)",
            "# HELP lcp_gateway_streams Event streams that are open.",
            "# TYPE lcp_gateway_streams gauge", "lcp_gateway_streams \(counts.streams)",
        ]
        return lines.joined(separator: "\n") + "\n"
    }
}
