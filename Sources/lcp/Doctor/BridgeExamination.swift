import BridgeProtocol
import LightningTypes
import LndRPC

/// What the bridge says about itself, its workers and its peers, and what follows from it.
struct BridgeExamination: Sendable {
    let status: BusStatus
    let workers: [BusWorker]
    let peers: [BusPeer]

    /// What the bridge is for, by the workers it has; nil without any.
    var role: BridgeRole? {
        let sells = workers.contains { $0.role == .provider || $0.role == .compute }
        let buys = workers.contains { $0.role == .requester }
        return sells ? (buys ? .both : .provider) : buys ? .requester : nil
    }

    /// What may still be spent today.
    var budget: MilliSatoshi {
        let spent = status.spentTodayMsat.addingReportingOverflow(status.reservedMsat)
        let left = status.dailyBudgetMsat.subtractingReportingOverflow(spent.partialValue)
        return left.overflow ? .zero : MilliSatoshi(msat: left.partialValue)
    }

    /// Everything that was found.
    func findings(for role: BridgeRole) -> [Finding] {
        [bridge] + work + (role.buys ? [spending] : []) + people(for: role) + market(for: role)
            + [expiry].compactMap(\.self)
    }

    private var bridge: Finding {
        guard status.lndState == "ready" else {
            let detail = status.lndDetail.isEmpty ? "" : ": \(status.lndDetail)"
            return .problem(
                "bridge",
                "\(status.program) runs, and lnd is \(status.lndState)\(detail)",
                fix: "lcp doctor --lnd-tls-cert ~/.lnd/tls.cert --lnd-macaroon FILE"
            )
        }
        let detail = "\(status.program) runs, and lnd is ready on \(status.network)"
        return status.lndDetail.isEmpty
            ? .ok("bridge", detail)
            : .warning(
                "bridge",
                "\(detail), but a call failed: \(status.lndDetail)",
                fix: "lcp doctor --lnd-tls-cert ~/.lnd/tls.cert --lnd-macaroon FILE"
            )
    }

    private var work: [Finding] {
        guard status.parkedJobs > 0 else { return [.ok("bridge.jobs", "no job is set aside")] }
        return [
            .warning(
                "bridge.jobs",
                "\(status.parkedJobs) jobs are set aside after too many failed attempts",
                fix: "lcp jobs --parked, then lcp retry JOB"
            )
        ]
    }

    private var spending: Finding {
        let detail = """
            \(Words.sats(status.spentTodayMsat)) of \(Words.sats(status.dailyBudgetMsat)) are spent \
            in 24 hours, \(Words.sats(status.reservedMsat)) reserved
            """
        guard budget > .zero else {
            return .problem(
                "bridge.budget",
                "nothing more is paid: " + detail,
                fix: "lcp-bridge --daily-budget-sat SATS …, or wait"
            )
        }
        let left = budget.msat
        return left < status.dailyBudgetMsat / 5
            ? .warning("bridge.budget", detail, fix: "lcp-bridge --daily-budget-sat SATS …")
            : .ok("bridge.budget", detail)
    }

    // MARK: - Workers

    private func people(for role: BridgeRole) -> [Finding] {
        var findings: [Finding] = []
        if role.buys { findings.append(presence(of: .requester, "lcp-requester")) }
        if role.sells {
            findings.append(presence(of: .provider, "lcp-provider"))
            findings.append(presence(of: .compute, "lcp-compute"))
            findings += backends
        }
        return findings
    }

    private func presence(of role: BusRole, _ program: String) -> Finding {
        let alive = workers.filter { $0.role == role && !$0.draining }
        guard !alive.isEmpty else {
            return .problem(
                "workers.\(role.label)",
                "no \(role.label) worker is connected",
                fix: "\(program) --bus-dir DIR …, or systemctl start \(program)@1"
            )
        }
        let busy = alive.reduce(0) { $0 + Int($1.busy) }
        let capacity = alive.reduce(0) { $0 + Int($1.capacity) }
        let detail = "\(alive.count) connected, \(busy) of \(capacity) places busy"
        return busy < capacity
            ? .ok("workers.\(role.label)", detail)
            : .warning(
                "workers.\(role.label)",
                detail + ": work waits",
                fix: "start another \(program)"
            )
    }

    /// What the compute workers' records say about their backends.
    private var backends: [Finding] {
        workers.filter { $0.role == .compute && $0.failed > 0 }.compactMap { worker in
            let total = worker.done + worker.failed
            guard worker.failed * 5 >= total else { return nil }
            return .wrong(
                "workers.backend",
                """
                \(worker.program) (\(Words.short(worker.id))) has failed at \(worker.failed) of \
                \(total) computations
                """,
                fix: "journalctl -u 'lcp-compute*' -n 50",
                ifProblem: worker.done == 0
            )
        }
    }

    // MARK: - Peers

    private func market(for role: BridgeRole) -> [Finding] {
        let connected = peers.filter(\.connected)
        let speakers = connected.filter { $0.manifestUnix > 0 }
        var findings: [Finding] = [
            connected.isEmpty
                ? .wrong(
                    "peers",
                    "no peer is connected",
                    fix: "lcp peers connect KEY@HOST:PORT",
                    ifProblem: role.buys
                )
                : .ok("peers", "\(connected.count) connected, \(speakers.count) speak LCP")
        ]
        guard role.buys else { return findings }
        let sellers = connected.filter { !$0.offers.isEmpty }
        if sellers.isEmpty, !connected.isEmpty {
            findings.append(
                .problem(
                    "peers.offers",
                    "no connected peer has told what it sells",
                    fix: "lcp peers connect KEY@HOST:PORT of a provider"
                )
            )
        } else if !sellers.isEmpty {
            findings.append(.ok("peers.offers", "\(sellers.count) connected peers sell something"))
        }
        for seller in peers where !seller.connected && !seller.offers.isEmpty {
            findings.append(
                .warning(
                    "peers.away",
                    "\(Hex.encode(seller.id)) sells something and is not connected",
                    fix: "lcp-bridge --provider \(Hex.encode(seller.id))@HOST:PORT …"
                )
            )
        }
        return findings
    }

    /// Messages that come after their expiry are a sign of clocks that differ.
    private var expiry: Finding? {
        let count = status.counters["message.expired"] ?? 0
        guard count > 0 else { return nil }
        return .warning(
            "clock.peers",
            "\(count) messages of peers came after their expiry: clocks may differ",
            fix: "timedatectl set-ntp true"
        )
    }
}
