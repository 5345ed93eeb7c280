import BridgeProtocol
import BusClient
import Glibc
import LightningTypes
import LocalNetwork

/// Tells people what happens in a demonstration, on standard output.
struct DemoAccount: Sendable {
    /// Whether only machines listen.
    let isSilent: Bool

    /// Tells of a step of the start.
    func tell(_ step: LocalNetworkStep) {
        switch step {
        case .lightning(let nodes):
            head("A Lightning network of \(nodes.count) nodes, simulated (lcp-simnet)")
            for node in nodes { line(node.name, node.id.hex) }
        case .bridges:
            line("bridges", "one lcp-bridge for each node, connected to its lnd")
        case .workers:
            line("workers", "lcp-requester for alice; lcp-provider and lcp-compute for bob")
        case .offers:
            line("offers", "alice knows from bob's manifest what he sells")
        case .gateways:
            line("gateway", "lcp-gateway for alice: OpenAI's interface over HTTP")
        }
    }

    /// Tells of a job's new stage.
    func tell(_ job: BusJob) {
        let view = job.view
        switch view.stage {
        case .quoting: line("job", Hex.encode(job.key.jobID))
        case .quoted:
            line(
                "quote",
                "\(Words.sats(view.priceMsat)), valid until \(Words.time(view.quoteExpiryUnix))"
            )
            line("terms", "hash \(Hex.encode(view.termsHash)), which the invoice commits to")
            line("invoice", "payment hash \(Hex.encode(view.paymentHash))")
        case .paying: line("paying", "alice has checked the invoice; her bridge checks it again")
        case .running: line("paid", "routing fee \(Words.sats(view.feeMsat)); bob computes")
        case .done, .failed, .cancelled, .unanswered, .paidFailed, .unspecified, .UNRECOGNIZED:
            line("end", view.stage.label + (view.hasFailure ? ": \(view.failure.detail)" : ""))
        }
    }

    /// Tells of a bought answer.
    func tell(_ answer: Answer) {
        let output = answer.result.output?.reveal("it is what the demonstration is for")
        let text = output.map { String(decoding: $0, as: UTF8.self) } ?? "none"
        for (index, part) in Table.printableLines(text).split(separator: "\n").enumerated() {
            line(index == 0 ? "result" : "", Paint.green(String(part), on: STDOUT_FILENO))
        }
        if let preimage = answer.result.preimage {
            line("proof", "preimage \(preimage.secret.reveal("this money is not real").hex)")
        }
    }

    /// Tells how to ask a gateway, which then waits for that.
    func tell(waiting gateway: DemoGateway) {
        head("Ask from another terminal, as often as you like; Ctrl-C ends it")
        write("\n" + gateway.commandLine + "\n\n")
    }

    /// Tells how a gateway is asked.
    func tell(asking gateway: DemoGateway) {
        head("A client asks alice's gateway")
        write("  " + Paint.dim(gateway.commandLine, on: STDOUT_FILENO) + "\n")
    }

    /// Tells what a gateway answered.
    func tell(_ response: DemoResponse) {
        line("status", "\(response.status)")
        for header in response.headers {
            line("header", "\(header.name): \(Table.printable(header.value))")
        }
        let text = Table.printableLines(response.content ?? "none")
        for (index, part) in text.split(separator: "\n").enumerated() {
            line(index == 0 ? "answer" : "", Paint.green(String(part), on: STDOUT_FILENO))
        }
    }

    /// Tells of a kill.
    func tell(killed name: ProcessName, pid: Int32) {
        line("kill -9", Paint.red("\(name) (\(pid))", on: STDOUT_FILENO) + ", started again")
    }

    /// Tells how many jobs have ended.
    func tell(ended: Int, of jobs: Int) {
        guard !isSilent, isatty(STDOUT_FILENO) == 1 else { return }
        write("\r\u{1b}[K  \(ended) of \(jobs) jobs" + (ended == jobs ? "\r\u{1b}[K" : ""))
    }

    /// Tells what it all came to.
    func tell(_ report: DemoReport, directory: String?) {
        let counts = report.counts
        if counts.ended > 1 {
            head("Jobs")
            line(
                "ended",
                "\(counts.ok) answered, \(counts.failed) failed, \(counts.unanswered) unanswered"
                    + (report.kills > 0 ? "; \(report.kills) processes killed" : "")
            )
            for (reason, count) in counts.reasons.sorted(by: { $0.key < $1.key }) {
                line("failed", "\(count) with \(Table.printable(reason))")
            }
            line("latency", Words.percentiles(counts.total))
            line("took", report.duration.milliseconds)
        }
        head("Money")
        let rows = report.accounts.map { account in
            [
                "  " + account.name, Words.sats(account.before.msat),
                Words.sats(account.after.msat), Words.sats(account.ledger.earnedMsat),
                Words.sats(account.ledger.spentMsat), Words.sats(account.ledger.feesMsat),
                account.isBalanced ? "right" : "WRONG",
            ]
        }
        let header = ["  NODE", "BEFORE", "AFTER", "EARNED", "SPENT", "FEES", "ACCOUNT"]
        write(Columns.render(header, rows))
        if let directory { line("kept", directory) }
    }

    func head(_ text: String) { write("\n" + Paint.bold(text, on: STDOUT_FILENO) + "\n") }

    private func line(_ label: String, _ text: String) {
        let gap = String(repeating: " ", count: max(1, 10 - label.count))
        write("  " + Paint.dim(label, on: STDOUT_FILENO) + gap + text + "\n")
    }

    private func write(_ text: String) {
        guard !isSilent else { return }
        // A reader that has gone is no reason to leave processes behind.
        try? StandardOutput.write(Array(text.utf8))
    }
}
