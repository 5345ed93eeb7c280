import Foundation
import Testing

/// Something that `lcp-simnet ctl` lets go wrong, and how it ends.
struct SimnetFault: Sendable, CustomTestStringConvertible {
    /// The words after `lcp-simnet ctl`, one order a line.
    let inflicted: [String]
    /// What ends it; empty when it ends by itself.
    let healed: [String]

    init(_ inflicted: String..., healed: String...) {
        (self.inflicted, self.healed) = (inflicted, healed)
    }

    var testDescription: String { inflicted.joined(separator: "; ") }

    /// Every fault there is, in groups that one network goes through.
    static let groups = [peers, payments, streams, nodes]

    private static let peers =
        ["alice bob", "bob alice"].flatMap { pair in
            [
                SimnetFault("separate \(pair)"),
                SimnetFault("separate \(pair) --stay-down", healed: "join \(pair)"),
                SimnetFault("separate \(pair) --late-offline"),
                SimnetFault("messages \(pair) --drop 1"),
                SimnetFault("messages \(pair) --duplicate 9"),
                SimnetFault("messages \(pair) --delay 200", healed: "messages \(pair)"),
                SimnetFault("messages \(pair) --wait handshake", healed: "messages \(pair)"),
                SimnetFault("messages \(pair) --wait queue", healed: "messages \(pair)"),
            ]
        }

    private static let payments =
        (1...6).map { SimnetFault("payments alice --fail \($0)") } + [
            SimnetFault("payments alice --fail 1 --count 3"),
            SimnetFault("payments alice --delay 200 --count 2"),
            SimnetFault("payments alice --hang --count 2", healed: "release alice"),
            SimnetFault("payments alice --hang --count 2", healed: "release alice --fail"),
            SimnetFault("payments alice --register-only --count 2", healed: "release alice"),
            SimnetFault("payments alice --register-only", healed: "release alice --fail"),
            SimnetFault("payments alice --break-stream 0 --count 2"),
            SimnetFault("payments alice --break-stream 1 --count 2"),
            SimnetFault("payments alice --lose-call --count 2"),
            SimnetFault("settle-index bob 7"),
            SimnetFault("settle-index bob --restart"),
            SimnetFault("expiry bob 2000"),
            SimnetFault("time 5"),
        ]

    private static let streams = ["alice", "bob"].flatMap { node in
        streamKinds.flatMap { kind in
            [
                SimnetFault("break \(node) \(kind)"),
                SimnetFault(
                    "stall \(node) \(kind)",
                    healed: "stall \(node) \(kind) --resume"
                ),
            ]
        } + [SimnetFault("break \(node) all --code 13 --message gone")]
    }

    private static let streamKinds = [
        "all", "custom-messages", "peer-events", "invoices", "single-invoice", "payments", "state",
    ]

    private static let nodes = ["alice", "bob"].flatMap { node in
        [
            "non-existing", "locked", "unlocked", "rpc-active", "server-active", "waiting-to-start",
        ]
        .map { SimnetFault("wallet \(node) \($0)", healed: "wallet \(node) server-active") } + [
            SimnetFault("restart \(node)"),
            SimnetFault("restart \(node) --orderly"),
            SimnetFault("restart \(node) --down 500 --step 200"),
            SimnetFault("restart \(node) --locked", healed: "wallet \(node) server-active"),
        ]
    }

    // MARK: - What there is

    /// Subcommands of `lcp-simnet ctl` that let nothing go wrong.
    static let harmless: Set<String> = ["status", "join", "release", "help"]

    /// Everything that `ctl` can be told, as its own parser describes it: a subcommand, and an option
    /// or a value of it.
    static func repertoire() async throws -> [(subcommand: String, word: String)] {
        let outcome = try await Market.run("lcp-simnet", ["ctl", "--experimental-dump-help"])
        let help = try outcome.object()
        let root = try #require(help["command"] as? NSDictionary)
        let control = try #require(Self.find("ctl", in: root))
        var words: [(String, String)] = []
        for command in control["subcommands"] as? [NSDictionary] ?? [] {
            let name = try #require(command["commandName"] as? String)
            words.append((name, name))
            for argument in command["arguments"] as? [NSDictionary] ?? [] {
                let preferred = argument["preferredName"] as? NSDictionary
                if let option = preferred?["name"] as? String, !["dir", "help"].contains(option) {
                    words.append((name, "--\(option)"))
                }
                let values = argument["allValues"] ?? argument["allValueStrings"]
                for value in values as? [String] ?? [] { words.append((name, value)) }
            }
        }
        return words
    }

    private static func find(_ name: String, in command: NSDictionary) -> NSDictionary? {
        if command["commandName"] as? String == name { return command }
        for sub in command["subcommands"] as? [NSDictionary] ?? [] {
            if let found = find(name, in: sub) { return found }
        }
        return nil
    }
}
