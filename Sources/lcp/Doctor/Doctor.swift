import ArgumentParser
import BusClient
import Glibc
import LCPInspector
import LndRPC

/// `lcp doctor`: looks at everything that a job needs.
struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Look for what keeps this node from buying and selling, and say how to mend it.",
        discussion: """
            Looks at the bus and its rights, the bridge, its workers and peers, the clock; at lnd \
            with the options that lcp-bridge has; at the journal's file with --journal; at an \
            installed gateway, or the one of --gateway-config. Changes nothing. Give the macaroon \
            that the bridge has: which of the permissions it needs are missing is read in the file.

            In JSON: healthy, and findings with check, level (ok, skipped, warning, problem), \
            detail and fix.

            EXIT CODES: 0 no problem, maybe warnings, 17 a problem was found, 64 the command line \
            is wrong, 74 the output could not be written, 130 interrupted.
            """
    )

    @OptionGroup var bus: BusOptions
    @OptionGroup(title: "lnd") var lnd: LndOptions
    @OptionGroup var output: OutputOptions

    @Option(help: "What the bridge is for; the kinds of its workers tell without.")
    var role: BridgeRole?

    @Option(
        help: ArgumentHelp("The bridge's journal, to be looked at too.", valueName: "path"),
        completion: .file()
    )
    var journal: String?

    @Option(
        help: ArgumentHelp(
            "Where the compute workers' backend listens, to be looked at too; repeat for several.",
            valueName: "host:port"
        )
    )
    var backend: [HostAndPort] = []

    @Option(
        help: ArgumentHelp(
            "The configuration of the gateway to look at.",
            discussion: "\(GatewayExamination.systemPath) without, if it is there.",
            valueName: "path"
        ),
        completion: .file()
    )
    var gatewayConfig: String?

    func run() async throws {
        var findings: [Finding] = []
        let seen = try await lookAtBus(&findings)
        let role = self.role ?? seen?.role ?? .both
        if let seen { findings += seen.findings(for: role) }
        if lnd.isGiven {
            let connection = try lnd.connection
            let budget = seen?.budget
            findings += try await LndExamination(connection, role: role, budget: budget).run()
        } else {
            findings.append(
                .skipped(
                    "lnd",
                    "lnd itself was not asked",
                    fix: "lcp doctor --lnd-tls-cert ~/.lnd/tls.cert --lnd-macaroon FILE"
                )
            )
        }
        findings += HostExamination(journal: journal, backends: backend).run()
        findings += try await GatewayExamination(configuration: gatewayConfig)?.run() ?? []
        try show(findings)
        guard !findings.contains(where: { $0.level == .problem }) else {
            throw ExitStatus.problemFound
        }
    }

    /// Looks at the bus directory, and asks the bridge if there is one.
    private func lookAtBus(_ findings: inout [Finding]) async throws -> BridgeExamination? {
        findings += BusRights(directory: bus.resolved()).findings()
        do {
            let seen = try await bus.withClient { client in
                try await BridgeExamination(
                    status: client.status(),
                    workers: client.workers(),
                    peers: client.peers()
                )
            }
            return seen
        } catch let error as BusClientError {
            findings.append(
                .problem(
                    "bridge",
                    error.detail,
                    fix: error.code == .noBridge
                        ? "systemctl start lcp-bridge, or lcp doctor --bus-dir DIR" : error.advice
                )
            )
            return nil
        }
    }

    private func show(_ findings: [Finding]) throws {
        let isHealthy = !findings.contains { $0.level == .problem }
        let answer: JSONText = [
            "healthy": .bool(isHealthy), "findings": .array(findings.map { JSONText($0) }),
        ]
        guard !output.json, StandardOutput.isTerminal else {
            return try StandardOutput.write(Array("\(answer)\n".utf8))
        }
        let width = findings.map(\.check.count).max() ?? 0
        var text = ""
        for finding in findings {
            let gap = String(repeating: " ", count: width - finding.check.count + 2)
            text += "\(Self.label(finding.level))  \(finding.check)\(gap)"
            text += Table.printable(finding.detail) + "\n"
            if let fix = finding.fix {
                text += String(repeating: " ", count: width + 12)
                text += Paint.bold(Table.printable(fix), on: STDOUT_FILENO) + "\n"
            }
        }
        let problems = findings.count { $0.level == .problem }
        let warnings = findings.count { $0.level == .warning }
        text += "\(problems) problems, \(warnings) warnings\n"
        try StandardOutput.write(Array(text.utf8))
    }

    private static func label(_ level: Finding.Level) -> String {
        let text = level.rawValue + String(repeating: " ", count: 8 - level.rawValue.count)
        return switch level {
        case .ok: Paint.green(text, on: STDOUT_FILENO)
        case .skipped: Paint.dim(text, on: STDOUT_FILENO)
        case .warning: Paint.bold(text, on: STDOUT_FILENO)
        case .problem: Paint.red(text, on: STDOUT_FILENO)
        }
    }
}
