import LCPInspector
import LightningTypes

/// What a benchmark came to.
struct BenchReport: Sendable {
    /// Why it ended before all jobs were begun.
    enum Stop: String, Sendable {
        case interrupted
        case limit = "max-total"
    }

    var plan: LoadPlan
    var concurrency: Int
    var warmup: LoadTally
    var tally: LoadTally
    var duration: Duration
    var stopped: Stop?
    /// What jobs whose end is not known may still cost.
    var reserved: MilliSatoshi
    var processes: [(pid: Int32, process: ProcessUsage.Process)]

    /// Whether every job ended as it should.
    var isGood: Bool {
        [warmup, tally].allSatisfy { $0.failed == 0 && $0.unanswered == 0 && $0.left == 0 }
    }

    /// One object for machines.
    var json: JSONText {
        var members: [JSONText.Member] = [
            .init(name: "mode", value: .string(mode)),
            .init(name: "peer_id", value: .string(plan.peer.hex)),
            .init(name: "profile", value: .string(plan.profile)),
            .init(name: "concurrency", value: .number(UInt64(concurrency))),
            .init(name: "jobs", value: .number(UInt64(tally.begun))),
            .init(name: "ok", value: .number(UInt64(tally.ok))),
            .init(name: "failed", value: .number(UInt64(tally.failed))),
            .init(name: "unanswered", value: .number(UInt64(tally.unanswered))),
            .init(name: "left", value: .number(UInt64(tally.left))),
            .init(name: "stopped", value: .text(stopped?.rawValue)),
            .init(name: "seconds", value: .decimal(thousandths: duration.microseconds / 1_000)),
            .init(name: "jobs_per_second", value: .rate(tally.ok, in: duration)),
        ]
        if plan.goal == .refusal {
            members.append(
                .init(name: "messages_per_second", value: .rate(2 * tally.ok, in: duration))
            )
        }
        members.append(.init(name: "latency_ms", value: .latencies(tally.total)))
        if plan.ceiling != nil {
            members += [
                .init(
                    name: "parts_ms",
                    value: .object(
                        LoadPart.allCases.map {
                            .init(
                                name: $0.rawValue,
                                value: .latencies(tally.parts[$0] ?? LatencyHistogram())
                            )
                        }
                    )
                ),
                .init(name: "spent_msat", value: .number(spent.msat)),
                .init(name: "fees_msat", value: .number(fees.msat)),
            ]
        }
        members += [
            .init(name: "processes", value: .array(processes.map { usage($0.pid, $0.process) })),
            .init(name: "failures", value: .reasons(tally)),
        ]
        return .object(members)
    }

    /// Lines for people.
    var text: String {
        var rows = [
            (mode, "\(tally.ok) of \(tally.begun), \(concurrency) at a time"),
            ("rate", "\(JSONText.rate(tally.ok, in: duration)) \(mode) per second"),
        ]
        if plan.goal == .refusal {
            rows.append(("", "\(JSONText.rate(2 * tally.ok, in: duration)) Lightning messages"))
        }
        rows.append(("latency", Words.percentiles(tally.total)))
        if plan.ceiling != nil {
            for part in LoadPart.allCases {
                let latencies = tally.parts[part] ?? LatencyHistogram()
                rows.append(("  " + part.rawValue, Words.percentiles(latencies)))
            }
            let sum = "\(Words.sats(spent.msat)), routing fees \(Words.sats(fees.msat))"
            rows.append(("spent", sum))
        }
        if reserved > .zero {
            rows.append(("", "and at most \(Words.sats(reserved.msat)) for jobs that go on"))
        }
        for (reason, count) in tally.reasons.sorted(by: { $0.key < $1.key }) {
            rows.append(("failed", "\(count) with \(reason)"))
        }
        if tally.unanswered > 0 { rows.append(("failed", "\(tally.unanswered) unanswered")) }
        if tally.left > 0 { rows.append(("left", "\(tally.left) before their end")) }
        if let stopped { rows.append(("stopped", stopped.rawValue)) }
        let lines = rows.map { label, text in
            label + String(repeating: " ", count: max(1, 11 - label.count))
                + Table.printable(text) + "\n"
        }
        return lines.joined() + "\n"
            + Columns.render(
                ["PID", "PROGRAM", "CPU", "A JOB", "PEAK MEMORY"],
                processes.map { pid, process in
                    [
                        "\(pid)", process.program, process.cpu.milliseconds,
                        cpuPerJob(process).map { "\($0) ms" } ?? "-",
                        "\(process.peakBytes >> 10) KiB",
                    ]
                }
            )
    }

    private var mode: String {
        switch plan.goal {
        case .answer: "jobs"
        case .quote: "quotes"
        case .refusal: "refusals"
        }
    }

    private var spent: MilliSatoshi { warmup.spent.adding(tally.spent) ?? tally.spent }
    private var fees: MilliSatoshi { warmup.fees.adding(tally.fees) ?? tally.fees }

    private func usage(_ pid: Int32, _ process: ProcessUsage.Process) -> JSONText {
        [
            "pid": .number(UInt64(pid)),
            "program": .string(process.program),
            "cpu_seconds": .decimal(thousandths: process.cpu.microseconds / 1_000),
            "cpu_ms_per_job": cpuPerJob(process) ?? .null,
            "peak_bytes": .number(process.peakBytes),
        ]
    }

    private func cpuPerJob(_ process: ProcessUsage.Process) -> JSONText? {
        let jobs = UInt64(tally.ended)
        return jobs == 0 ? nil : .decimal(thousandths: process.cpu.microseconds / jobs)
    }
}

extension JSONText {
    /// A mean and percentiles, in milliseconds; null without durations.
    fileprivate static func latencies(_ latencies: LatencyHistogram) -> JSONText {
        guard case .object(let members) = percentiles(latencies) else { return .null }
        let mean =
            latencies.count == 0
            ? JSONText.null
            : .decimal(thousandths: latencies.sum / latencies.count)
        return .object([.init(name: "mean", value: mean)] + members)
    }
}
