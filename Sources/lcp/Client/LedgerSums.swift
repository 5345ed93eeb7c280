import BridgeProtocol
import FoundationEssentials
import LCPInspector
import LightningTypes

/// What was earned and spent with each peer for each profile.
///
/// Holds a line for each peer and profile that ever traded, not for each entry.
struct LedgerSums {
    struct Line {
        var entries: UInt64 = 0
        var earned: UInt64 = 0
        var spent: UInt64 = 0
        var fees: UInt64 = 0
    }

    struct Name: Hashable {
        var peer: Data
        var profile: String
    }

    private(set) var lines: [Name: Line] = [:]

    /// Adds an entry; sums stop at what 64 bits hold, far above all bitcoin.
    mutating func add(_ entry: BusLedgerEntry) {
        func add(_ amount: UInt64, to sum: inout UInt64) {
            let (value, isTooMuch) = sum.addingReportingOverflow(amount)
            sum = isTooMuch ? .max : value
        }
        let name = Name(peer: entry.job.peer, profile: entry.profile)
        add(1, to: &lines[name, default: Line()].entries)
        add(entry.earnedMsat, to: &lines[name, default: Line()].earned)
        add(entry.spentMsat, to: &lines[name, default: Line()].spent)
        add(entry.feeMsat, to: &lines[name, default: Line()].fees)
    }

    /// All lines, by peer and then profile.
    var sorted: [(name: Name, line: Line)] {
        lines.map { ($0.key, $0.value) }.sorted { left, right in
            left.0.peer == right.0.peer
                ? left.0.profile < right.0.profile
                : left.0.peer.lexicographicallyPrecedes(right.0.peer)
        }
    }

    /// The lines as JSON.
    var json: JSONText {
        .array(
            sorted.map { name, line in
                [
                    "peer_id": .hex(name.peer),
                    "profile": .string(name.profile),
                    "entries": .number(line.entries),
                    "earned_msat": .number(line.earned),
                    "spent_msat": .number(line.spent),
                    "fees_msat": .number(line.fees),
                ]
            }
        )
    }
}
