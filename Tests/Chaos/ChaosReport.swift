import FoundationEssentials
import MarketAudit

/// How the jobs ended and who died meanwhile.
struct ChaosOutcome: Sendable {
    var market: ChaosMarket.Account
    var deaths: Reaper.Account
    /// What the audit found.
    var findings: [String] = []

    var audited: AuditedJobs { market.audited }

    init(market: ChaosMarket.Account, deaths: Reaper.Account) {
        self.market = market
        self.deaths = deaths
    }
}

/// What is printed at the end.
struct ChaosReport: Encodable {
    /// The peak memory of a bridge, in KiB.
    struct Memory: Encodable {
        var first: Int
        var last: Int
        var most: Int
    }

    /// Repeats who was killed in which order.
    var seed: UInt64
    /// How many jobs were to be bought.
    var jobs: Int
    /// How many were paid and answered.
    var ok = 0
    /// How many failed unpaid, by reason.
    var unpaid: [String: Int] = [:]
    /// How many processes of each kind were killed.
    var kills: [String: Int] = [:]
    var seconds = 0.0
    var jobsPerSecond = 0.0
    var slowestSeconds = 0.0
    var slowestJob = ""
    /// By node; of the bridge's first life, its last one, and the largest.
    var peakMemoryKib: [String: Memory] = [:]
    /// Everything that is wrong; empty when the books are right.
    var findings: [String] = []
    /// Where journals and logs are, when they are kept.
    var directory: String?

    init(seed: UInt64, jobs: Int) {
        self.seed = seed
        self.jobs = jobs
    }

    mutating func take(_ outcome: ChaosOutcome, allowingUnpaid percent: Double) {
        ok = outcome.audited.answered.count
        unpaid = outcome.market.unpaid
        kills = outcome.deaths.deaths
        seconds = outcome.market.duration.seconds
        jobsPerSecond = seconds > 0 ? (Double(jobs) / seconds * 10).rounded() / 10 : 0
        slowestSeconds = outcome.market.slowest.took.seconds
        slowestJob = outcome.market.slowest.job
        peakMemoryKib = outcome.deaths.memory.mapValues {
            Memory(first: $0.first, last: $0.last, most: $0.most)
        }
        findings += outcome.market.findings + outcome.findings
        let failed = unpaid.values.reduce(0, +)
        if Double(failed) > (Double(jobs) * percent / 100).rounded(.up) {
            findings.append("\(failed) jobs failed unpaid, which is more than \(percent) %")
        }
        if findings.isEmpty, ok + failed != jobs {
            findings.append("\(jobs - ok - failed) jobs are not accounted for")
        }
    }

    /// One object in one line.
    var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.keyEncodingStrategy = .convertToSnakeCase
            encoder.outputFormatting = [.sortedKeys]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }

    /// For people.
    var text: String {
        func list(_ counts: [String: Int]) -> String {
            let parts = counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
            return parts.isEmpty ? "none" : parts.joined(separator: ", ")
        }
        var lines = [
            "seed     \(seed)",
            "jobs     \(jobs): \(ok) paid and answered; failed unpaid: \(list(unpaid))",
            "killed   \(list(kills))",
            "time     \(seconds) s, \(jobsPerSecond) jobs a second",
            "slowest  \(slowestSeconds) s, \(slowestJob)",
        ]
        for (node, peak) in peakMemoryKib.sorted(by: { $0.key < $1.key }) {
            lines.append(
                "memory   \(node)'s bridge: \(peak.first) KiB at its first life's peak, "
                    + "\(peak.last) at its last one's, \(peak.most) at most"
            )
        }
        lines.append(findings.isEmpty ? "books    right" : "books    WRONG")
        lines += findings.prefix(50).map { "         \($0)" }
        if findings.count > 50 { lines.append("         and \(findings.count - 50) more") }
        if let directory { lines.append("kept     \(directory)") }
        return lines.joined(separator: "\n")
    }
}
