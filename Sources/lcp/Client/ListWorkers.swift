import ArgumentParser
import BridgeProtocol
import BusClient
import LCPInspector

/// `lcp workers`: which workers the bridge has.
struct ListWorkers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workers",
        abstract: "List the workers that are connected to the bridge.",
        discussion: ExitStatus.clientHelp
    )

    @OptionGroup var bus: BusOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let workers = try await bus.withClient { try await $0.workers() }
        try output.show(
            ["workers": .array(workers.map { JSONText($0) })],
            columns: ["ROLE", "PROGRAM", "BUSY", "DONE", "FAILED", "SINCE", "WORKER"],
            workers.map { worker in
                [
                    worker.role.label, worker.program, "\(worker.busy)/\(worker.capacity)",
                    "\(worker.done)", "\(worker.failed)",
                    Words.time(worker.sinceUnix) + (worker.draining ? " (draining)" : ""),
                    Words.short(worker.id),
                ]
            }
        )
    }
}

extension JSONText {
    /// A worker and how busy it is.
    init(_ worker: BusWorker) {
        self = [
            "worker_id": .hex(worker.id),
            "role": .string(worker.role.label),
            "program": .string(worker.program),
            "capacity": .number(worker.capacity),
            "busy": .number(worker.busy),
            "done": .number(worker.done),
            "failed": .number(worker.failed),
            "draining": .bool(worker.draining),
            "since_unix": .unix(worker.sinceUnix),
        ]
    }
}
