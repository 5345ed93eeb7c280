import BridgeProtocol
import BusClient
import LCPInspector
import LightningTypes
import LocalNetwork

/// What a demonstration came to: counts, times, and every node's money.
struct DemoReport {
    /// One node's money.
    struct Account {
        var name: String
        var id: NodeID
        var before: MilliSatoshi
        var after: MilliSatoshi
        var ledger: BusLedgerPage

        /// Whether the balance moved by exactly what the ledger says.
        var isBalanced: Bool {
            before.msat + ledger.earnedMsat == after.msat + ledger.spentMsat + ledger.feesMsat
        }
    }

    var counts: LoadTally
    /// How many processes were killed on the way.
    var kills: Int
    var duration: Duration
    var accounts: [Account]
    var processes: [(name: ProcessName, pid: Int32)]
    var answer: Answer?
    /// What the gateway answered, in a demonstration of one.
    var response: DemoResponse?

    /// Whether every job was answered and every account is right.
    var isGood: Bool {
        counts.failed == 0 && counts.unanswered == 0 && accounts.allSatisfy(\.isBalanced)
            && response?.status ?? 200 == 200
    }

    /// One object for machines.
    var json: JSONText {
        var members: [JSONText.Member] = [
            .init(name: "jobs", value: .number(UInt64(counts.ended))),
            .init(name: "ok", value: .number(UInt64(counts.ok))),
            .init(name: "failed", value: .number(UInt64(counts.failed))),
            .init(name: "unanswered", value: .number(UInt64(counts.unanswered))),
            .init(name: "kills", value: .number(UInt64(kills))),
            .init(name: "jobs_per_second", value: .rate(counts.ok, in: duration)),
            .init(name: "latency_ms", value: .percentiles(counts.total)),
            .init(name: "nodes", value: .array(accounts.map { JSONText($0) })),
            .init(
                name: "processes",
                value: .array(
                    processes.map { process in
                        [
                            "name": .string("\(process.name)"),
                            "program": .string(process.name.program),
                            "pid": .number(UInt64(process.pid)),
                        ]
                    }
                )
            ),
        ]
        if !counts.reasons.isEmpty {
            members.append(.init(name: "failures", value: .reasons(counts)))
        }
        if let answer { members.append(.init(name: "job", value: answer.json)) }
        if let response { members.append(.init(name: "response", value: response.json)) }
        return .object(members)
    }

}

extension JSONText {
    /// A node's money.
    init(_ account: DemoReport.Account) {
        self = [
            "name": .string(account.name),
            "node_id": .string(account.id.hex),
            "balance_before_msat": .number(account.before.msat),
            "balance_after_msat": .number(account.after.msat),
            "earned_msat": .number(account.ledger.earnedMsat),
            "spent_msat": .number(account.ledger.spentMsat),
            "fees_msat": .number(account.ledger.feesMsat),
        ]
    }
}
