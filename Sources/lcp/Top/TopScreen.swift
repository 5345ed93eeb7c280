import BridgeProtocol
import BusClient
import LightningTypes
import Terminal

/// The picture of `lcp top`; pure.
enum TopScreen {
    /// Draws what is known.
    ///
    /// - Parameters:
    ///   - model: What is known.
    ///   - size: The terminal's size; 24 lines of 80 show something of everything.
    ///   - unix: The wall clock.
    ///   - now: The present, for what is measured.
    /// - Returns: The lines from the top, at most as many as there is room for.
    static func lines(
        _ model: inout TopModel,
        size: TerminalSize,
        unix: UInt64,
        now: ContinuousClock.Instant
    ) -> [Screen.Line] {
        guard let figures = model.figures else {
            return [Screen.Line("lcp top: waiting for the bridge", .bold), quit]
        }
        var lines = head(model, figures, unix) + [Screen.Line("")]
        lines += jobs(&model, figures, now) + money(figures) + [Screen.Line("")]
        // What is left is shared: a heading and an empty line each, and the last line.
        let room = max(3, size.rows - lines.count - 6)
        let mishaps = min(model.mishaps.count, max(1, room / 3))
        let peers = min(figures.peers.count, max(1, room / 4))
        let workers = max(1, room - mishaps - peers)
        lines += table(figures.workers, workers) + [Screen.Line("")]
        lines += people(figures.peers, peers) + [Screen.Line("")]
        lines += errors(model, figures, mishaps)
        return lines.prefix(max(1, size.rows - 1)).map { printable($0) } + [quit]
    }

    private static let quit = Screen.Line("q quits", .dim)

    private static func printable(_ line: Screen.Line) -> Screen.Line {
        Screen.Line(Table.printable(line.content), line.look)
    }

    private static func head(
        _ model: TopModel,
        _ figures: BridgeFigures,
        _ unix: UInt64
    ) -> [Screen.Line] {
        let status = figures.status
        let first = Screen.Line(
            "\(status.program)  node \(Words.short(status.nodeID))  \(status.network)  "
                + Words.time(unix),
            .bold
        )
        if model.link == .silent {
            return [first, Screen.Line("the bridge is silent; waiting for it", .red)]
        }
        guard status.lndState == "ready" else {
            return [first, Screen.Line("lnd \(status.lndState): \(status.lndDetail)", .red)]
        }
        let age = unix > status.startedUnix ? unix - status.startedUnix : 0
        return [first, Screen.Line("lnd ready  up \(span(age))")]
    }

    private static func span(_ seconds: UInt64) -> String {
        switch seconds {
        case ..<60: "\(seconds) s"
        case ..<3_600: "\(seconds / 60) min"
        case ..<86_400: "\(seconds / 3_600) h \(seconds / 60 % 60) min"
        default: "\(seconds / 86_400) d \(seconds / 3_600 % 24) h"
        }
    }

    private static func jobs(
        _ model: inout TopModel,
        _ figures: BridgeFigures,
        _ now: ContinuousClock.Instant
    ) -> [Screen.Line] {
        let status = figures.status
        let stages: [BusJobStage] = [.quoting, .quoted, .paying, .running]
        let open =
            figures.open == nil
            ? "\(status.openJobs) open"
            : stages.map { "\($0.label) \(figures.jobs(at: $0) ?? 0)" }.joined(separator: "  ")
        let ends: [BusJobStage] = [.done, .failed, .cancelled, .unanswered, .paidFailed]
        let over = ends.map { "\($0.label) \(model.ended[$0] ?? 0)" }.joined(separator: "  ")
        let pace = model.pace(at: now)
        let rate = "\(pace.hundredths / 100).\(pace.hundredths / 10 % 10)\(pace.hundredths % 10)"
        let parked = status.parkedJobs > 0
        return [
            Screen.Line("jobs     \(open)  waiting for workers \(status.queuedItems)"),
            Screen.Line("ended    \(over)"),
            Screen.Line(
                "pace     \(rate) jobs/s in a minute  half within \(time(pace.median))  "
                    + "95 % within \(time(pace.slow))"
            ),
            Screen.Line("parked   \(status.parkedJobs)", parked ? .red : .plain),
        ]
    }

    private static func time(_ duration: Duration?) -> String {
        guard let duration else { return "-" }
        let parts = duration.components
        let milliseconds = parts.seconds * 1_000 + parts.attoseconds / 1_000_000_000_000_000
        return milliseconds < 10_000 ? "\(milliseconds) ms" : "\(milliseconds / 1_000) s"
    }

    private static func money(_ figures: BridgeFigures) -> [Screen.Line] {
        let (status, day) = (figures.status, figures.day)
        return [
            Screen.Line(
                "24 h     earned \(Words.sats(day.earned))  spent \(Words.sats(day.spent))  fees "
                    + Words.sats(day.fees)
            ),
            Screen.Line(
                "budget   \(Words.sats(status.spentTodayMsat)) of "
                    + "\(Words.sats(status.dailyBudgetMsat))  reserved "
                    + Words.sats(status.reservedMsat),
                status.spentTodayMsat >= status.dailyBudgetMsat ? .red : .plain
            ),
        ]
    }

    // MARK: - Lists

    private static func table(_ workers: [BusWorker], _ rows: Int) -> [Screen.Line] {
        let header = Screen.Line(row("WORKER", "LOAD", "DONE", "FAILED", "PROGRAM"), .bold)
        guard !workers.isEmpty else { return [header, Screen.Line("none", .red)] }
        let sorted = workers.sorted {
            ($0.role.rawValue, $1.busy, Words.short($0.id))
                < ($1.role.rawValue, $0.busy, Words.short($1.id))
        }
        return [header]
            + shorten(
                sorted.map { worker in
                    Screen.Line(
                        row(
                            "\(worker.role.label) \(Words.short(worker.id).prefix(6))",
                            "\(worker.busy)/\(worker.capacity)",
                            "\(worker.done)",
                            "\(worker.failed)",
                            worker.program + (worker.draining ? " (draining)" : "")
                        ),
                        worker.failed > 0 && worker.done == 0 ? .red : .plain
                    )
                },
                to: rows
            )
    }

    private static func row(
        _ name: String,
        _ load: String,
        _ done: String,
        _ failed: String,
        _ program: String
    ) -> String {
        let cells = [(name, 18), (load, 10), (done, 9), (failed, 8)]
        return cells.map { DisplayWidth.fit($0.0, columns: $0.1) + " " }.joined() + program
    }

    private static func people(_ peers: [BusPeer], _ rows: Int) -> [Screen.Line] {
        let connected = peers.count(where: \.connected)
        let header = Screen.Line("PEERS  \(connected) connected of \(peers.count) known", .bold)
        let sorted = peers.sorted {
            ($0.connected ? 0 : 1, $0.offers.isEmpty ? 1 : 0, Words.short($0.id))
                < ($1.connected ? 0 : 1, $1.offers.isEmpty ? 1 : 0, Words.short($1.id))
        }
        let lines = sorted.map { peer in
            let offers = peer.offers.map { $0.profile.isEmpty ? $0.taskKind : $0.profile }
            return Screen.Line(
                "\(Words.short(peer.id))  \(peer.connected ? "connected" : "away     ")  "
                    + "\(peer.hasChannel_p ? "channel" : "       ")  "
                    + offers.joined(separator: ", "),
                peer.connected ? .plain : .dim
            )
        }
        return [header] + shorten(lines, to: rows)
    }

    private static func errors(
        _ model: TopModel,
        _ figures: BridgeFigures,
        _ rows: Int
    ) -> [Screen.Line] {
        let header = Screen.Line("LAST ERRORS", .bold)
        guard !model.mishaps.isEmpty else { return [header, Screen.Line("none", .dim)] }
        return [header]
            + model.mishaps.prefix(rows).map { Screen.Line("\(Words.time($0.unix))  \($0.text)") }
    }

    private static func shorten(_ lines: [Screen.Line], to rows: Int) -> [Screen.Line] {
        guard lines.count > rows else { return lines }
        let more = lines.count - rows + 1
        return lines.prefix(max(0, rows - 1)) + [Screen.Line("and \(more) more", .dim)]
    }
}
