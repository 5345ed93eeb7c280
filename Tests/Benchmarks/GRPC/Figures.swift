import Foundation

/// What one turn cost.
struct Figures: Decodable, Sendable {
    /// Calls or messages.
    var count: Int
    var seconds: Double
    /// Microseconds.
    var p50: Double
    var clientCPU: Double
    var serverCPU: Double

    var perSecond: Double { Double(count) / seconds }
    var perCPUSecond: Double { Double(count) / (clientCPU + serverCPU) }

    static func median(of turns: [Figures]) -> Figures {
        turns.sorted { $0.perCPUSecond < $1.perCPUSecond }[turns.count / 2]
    }
}

/// The figures of all pairs for one workload; the last row is what the others are compared with.
struct Table {
    /// How many times grpcio's work for each CPU second ours must do.
    private static let goal = 3.0

    var workload: Workload
    var rows: [(name: String, figures: Figures)]

    /// What ours with ours does for a CPU second, in units of what grpcio does.
    var ratio: Double {
        guard let ours = rows.first?.figures, let reference = rows.last?.figures else {
            return .nan
        }
        return ours.perCPUSecond / reference.perCPUSecond
    }

    /// Whether ours with ours reached the goal, and has the lower latency.
    var isGoalMet: Bool {
        guard let ours = rows.first?.figures, let reference = rows.last?.figures else {
            return false
        }
        return ours.perCPUSecond >= Self.goal * reference.perCPUSecond
            && (!workload.hasLatency || ours.p50 < reference.p50)
    }

    var text: String {
        let unit = workload.unit
        var lines = [
            workload.name,
            "  " + "pair".padding(toLength: 18, withPad: " ", startingAt: 0)
                + "\(unit)/s".leftPadded(12) + "p50 µs".leftPadded(10)
                + "client CPU s/100k".leftPadded(19) + "server CPU s/100k".leftPadded(19)
                + "\(unit)/CPU s".leftPadded(16) + "ratio".leftPadded(8),
        ]
        for (name, figures) in rows {
            let scale = 100_000 / Double(figures.count)
            let ratio = figures.perCPUSecond / (rows.last?.figures.perCPUSecond ?? .nan)
            lines.append(
                "  " + name.padding(toLength: 18, withPad: " ", startingAt: 0)
                    + String(format: "%.0f", figures.perSecond).leftPadded(12)
                    + (workload.hasLatency ? String(format: "%.0f", figures.p50) : "-")
                    .leftPadded(10)
                    + String(format: "%.2f", figures.clientCPU * scale).leftPadded(19)
                    + String(format: "%.2f", figures.serverCPU * scale).leftPadded(19)
                    + String(format: "%.0f", figures.perCPUSecond).leftPadded(16)
                    + String(format: "%.2f", ratio).leftPadded(8)
            )
        }
        lines.append(
            "  goal, 3 times the work for each CPU second: \(isGoalMet ? "met" : "MISSED")"
        )
        return lines.joined(separator: "\n") + "\n"
    }
}

extension String {
    fileprivate func leftPadded(_ width: Int) -> String {
        String(repeating: " ", count: max(0, width - count)) + self
    }
}
