import LightningTypes
import LndRPC

/// What lnd's answers mean for a node that buys or sells; pure.
enum LndFindings {
    /// The version, the sync, and the clock against the chain's.
    static func node(_ info: NodeInfo, now: UInt64) -> [Finding] {
        var findings: [Finding] = []
        let version = info.version.prefix { $0 != " " }
        if let known = LndVersion(text: info.version), known < .minimum {
            findings.append(
                .problem(
                    "lnd.version",
                    "lnd is \(version); payments need \(LndVersion.minimum) or newer",
                    fix: "install lnd \(LndVersion.minimum) or newer"
                )
            )
        } else {
            findings.append(.ok("lnd.version", "lnd is \(version) on \(info.network)"))
        }
        if !info.isSyncedToChain {
            findings.append(
                .problem(
                    "lnd.sync",
                    "lnd is at block \(info.blockHeight) and not synced to the chain",
                    fix: "lncli getinfo, and wait until synced_to_chain; else look at bitcoind"
                )
            )
        } else if !info.isSyncedToGraph {
            findings.append(
                .warning(
                    "lnd.sync",
                    "lnd does not know the whole network yet; routes may not be found",
                    fix: "lncli getinfo, and wait until synced_to_graph"
                )
            )
        } else {
            findings.append(.ok("lnd.sync", "synced at block \(info.blockHeight)"))
        }
        return findings + clock(info, now)
    }

    /// A block's time may be two hours in the future, and one in a thousand comes after an hour.
    private static func clock(_ info: NodeInfo, _ now: UInt64) -> [Finding] {
        let block = info.bestHeaderAt.seconds
        guard block > now + 2 * 3_600 else { return [] }
        return [
            .problem(
                "clock",
                "this machine's clock is more than two hours behind the chain's last block",
                fix: "timedatectl set-ntp true"
            )
        ]
    }

    /// Whether there is money where jobs need it.
    static func liquidity(
        _ channels: [Channel],
        for role: BridgeRole,
        budget: MilliSatoshi?
    ) -> [Finding] {
        let active = channels.filter(\.isActive)
        guard !active.isEmpty else {
            let inactive = channels.isEmpty ? "" : "; \(channels.count) have their peer away"
            return [
                .problem(
                    "lnd.channels",
                    "no channel can carry payments\(inactive)",
                    fix: channels.isEmpty
                        ? "lncli openchannel --node_key KEY --local_amt SATS"
                        : "lncli listchannels --inactive_only, then lncli connect KEY@HOST"
                )
            ]
        }
        var findings: [Finding] = [
            .ok("lnd.channels", "\(active.count) of \(channels.count) channels can carry payments")
        ]
        if role.buys { findings.append(outbound(active, budget)) }
        if role.sells { findings.append(inbound(active)) }
        return findings
    }

    private static func outbound(_ channels: [Channel], _ budget: MilliSatoshi?) -> Finding {
        let spendable = channels.reduce(UInt64(0)) { sum, channel in
            let (own, kept) = (channel.localBalance.msat, channel.localReserve?.msat ?? 0)
            return sum + (own > kept ? own - kept : 0)
        }
        let detail = "\(Words.sats(spendable)) can be spent"
        let fix = "lncli openchannel --node_key KEY --local_amt SATS"
        guard spendable > 0 else { return .problem("lnd.outbound", detail, fix: fix) }
        guard let budget, spendable < budget.msat else { return .ok("lnd.outbound", detail) }
        return .warning(
            "lnd.outbound",
            "\(detail), less than the \(Words.sats(budget.msat)) left of today's budget",
            fix: fix
        )
    }

    private static func inbound(_ channels: [Channel]) -> Finding {
        let receivable = channels.reduce(UInt64(0)) { $0 + $1.remoteBalance.msat }
        let detail = "\(Words.sats(receivable)) can be received"
        return receivable > 0
            ? .ok("lnd.inbound", detail)
            : .problem(
                "lnd.inbound",
                detail,
                fix: "lncli openchannel --node_key KEY --local_amt SATS --push_amt SATS, or let a "
                    + "peer open a channel to this node"
            )
    }

    /// From lnd 0.19 on, peers that never had a channel with this node share 100 places by default.
    static func slots(_ peers: [Peer], _ channels: [Channel]) -> [Finding] {
        let partners = Set(channels.map(\.peer))
        let guests = peers.count { $0.isInbound && !partners.contains($0.nodeID) }
        let detail = """
            \(guests) peers without a channel have dialled this node, of lnd's 100 places unless \
            num-restricted-slots says otherwise
            """
        return [
            guests < 80
                ? .ok("lnd.slots", detail)
                : .warning(
                    "lnd.slots",
                    detail + "; further buyers may be turned away",
                    fix: "num-restricted-slots=\(max(200, guests * 2)) in lnd.conf, restart lnd"
                )
        ]
    }
}
