import ArgumentParser
import BridgeProtocol
import BusClient
import LCPInspector
import LightningTypes

/// `lcp status`: how the bridge stands.
struct ShowStatus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how the bridge stands: lnd, jobs, money, and what went wrong.",
        discussion: ExitStatus.clientHelp
    )

    @OptionGroup var bus: BusOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let status = try await bus.withClient { try await $0.status() }
        try output.show(JSONText(status), title: "bridge")
    }
}

extension JSONText {
    /// A bridge's status.
    init(_ status: BusStatus) {
        self = [
            "program": .string(status.program),
            "epoch": .hex(status.epoch),
            "started_unix": .unix(status.startedUnix),
            "lnd_state": .string(status.lndState),
            "lnd_detail": .string(status.lndDetail),
            "node_id": .hex(status.nodeID),
            "network": .nonEmpty(status.network),
            "open_jobs": .number(status.openJobs),
            "parked_jobs": .number(status.parkedJobs),
            "queued_items": .number(status.queuedItems),
            "spent_today_msat": .number(status.spentTodayMsat),
            "daily_budget_msat": .number(status.dailyBudgetMsat),
            "reserved_msat": .number(status.reservedMsat),
            "counters": .object(
                status.counters.sorted { $0.key < $1.key }.map {
                    Member(name: $0.key, value: .number($0.value))
                }
            ),
        ]
    }
}
