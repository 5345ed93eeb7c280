import FoundationEssentials
import LCPTesting
import LocalNetwork

/// Kills processes by a script, and starts each again at once.
///
/// Who dies follows from the seed; when, from the clock.
actor Reaper {
    /// What it has done.
    struct Account: Sendable {
        /// How many of each kind were killed: `compute` or `bridge`.
        var deaths: [String: Int] = [:]
        /// The peak memory of the first life and of the last of each bridge, and of the largest, in
        /// KiB.
        var memory: [String: (first: Int, last: Int, most: Int)] = [:]
    }

    private let network: LocalNetwork
    private let seed: UInt64
    private let workers: Duration?
    private let bridges: Duration?
    private(set) var account = Account()

    init(_ network: LocalNetwork, seed: UInt64, workers: Duration?, bridges: Duration?) {
        self.network = network
        self.seed = seed
        self.workers = workers
        self.bridges = bridges
    }

    /// Kills until it is cancelled; then everything runs.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let names = await network.processes.map(\.name)
            if let workers {
                let victims = names.filter { [.provider, .requester, .compute].contains($0.role) }
                group.addTask { try await self.reap(victims, every: workers, self.seed) }
            }
            if let bridges {
                let victims = names.filter { $0.role == .bridge }
                group.addTask { try await self.reap(victims, every: bridges, self.seed + 1) }
            }
            try await group.waitForAll()
        }
        for node in ["alice", "bob"] { await measure(ProcessName(node, .bridge)) }
    }

    /// How many died so far.
    var progress: String {
        let deaths = account.deaths.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        return deaths.isEmpty ? "" : "killed: " + deaths.joined(separator: ", ")
    }

    private func reap(_ victims: [ProcessName], every pause: Duration, _ seed: UInt64) async throws
    {
        var random = SeededGenerator(seed: seed)
        var next = ContinuousClock.now + pause
        while (try? await Task.sleep(until: next)) != nil {
            // A machine that can't keep up skips what it has missed.
            next = max(next + pause, .now)
            guard let victim = victims.randomElement(using: &random) else { return }
            if victim.role == .bridge { await measure(victim) }
            await network.kill(victim)
            account.deaths[victim.role.rawValue, default: 0] += 1
            try await network.start(victim)
        }
    }

    /// Takes note of a bridge's peak memory in this life.
    private func measure(_ bridge: ProcessName) async {
        guard let pid = await network.process(bridge)?.pid,
            let status = FileManager.default.contents(atPath: "/proc/\(pid)/status"),
            let line = String(decoding: status, as: UTF8.self).split(separator: "\n")
                .first(where: { $0.hasPrefix("VmHWM:") }),
            let peak = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { return }
        let known = account.memory[bridge.node]
        account.memory[bridge.node] = (
            known?.first ?? peak, peak, max(known?.most ?? peak, peak)
        )
    }
}
