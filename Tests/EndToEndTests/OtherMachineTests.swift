import BridgeProtocol
import BusAddresses
import BusClient
import Foundation
import Glibc
import LocalNetwork
import Testing
import ZeroMQ

/// A bus that is reached over tcp, as from other machines.
@Suite(.timeLimit(.minutes(30))) struct OtherMachineTests {
    @Test func `a worker and a client on other machines do what their keys allow and no more`()
        async throws
    {
        let port = try FreePorts.first()
        try await Market.run { directory in
            try Self.plan(in: directory, port)
        } _: { market in
            let before = try await market.balances()
            let worker = try await Self.compute(in: market, "worker-1")
            let seller = try await market.network.client(of: "bob")
            try await eventually("the remote worker is a member") {
                try await seller.workers().contains { $0.role == .compute }
            }
            let answer = try await market.ask("from afar")
            #expect(answer.exit == 0, "\(answer.errors)")

            // Its machine dies in the middle: the job goes to another.
            let second = try await Self.compute(in: market, "worker-2")
            try await eventually("both are there") {
                try await seller.workers().count { $0.role == .compute } == 2
            }
            let keys = try await Self.submit(6, at: market)
            try await market.wait(for: keys[0]) {
                $0.view.stage.rawValue >= BusJobStage.running.rawValue
            }
            worker.signal(SIGKILL)
            for key in keys {
                let job = try await market.end(of: key)
                #expect(job.view.stage == .done, "\(job.view.failure.code)")
            }

            // The desk may ask; the worker's key opens nothing but work.
            let desk = try await Market.run(
                "lcp",
                ["status", "--bus-dir", "\(market.directory)/desk"]
            )
            #expect(try desk.object()["lnd_state"] as? String == "ready", "\(desk.errors)")
            let gpu = try await Market.run(
                "lcp",
                ["status", "--bus-dir", "\(market.directory)/worker-2"]
            )
            #expect(gpu.exit == 69, "\(gpu.output)\(gpu.errors)")
            let order = ["cancel", String(repeating: "ab", count: 32), "--bus-dir"]
            let refused = try await Market.run("lcp", order + ["\(market.directory)/desk"])
            #expect(refused.exit == 69, "\(refused.output)\(refused.errors)")

            second.signal(SIGTERM)
            #expect(await second.wait() == .exited(0))
            try await market.expectBalancedBooks(before: before)
        }
    }

    @Test(
        .enabled(
            if: PythonWorker.python != nil,
            "LCP_PYTHON names no interpreter with Tests/requirements.txt; Tests/run makes one"
        )
    )
    func `a Python worker on another machine serves paid jobs`() async throws {
        let port = try FreePorts.first()
        try await Market.run { directory in
            var plan = try Self.plan(in: directory, port)
            plan.providerConfiguration = plan.providerConfiguration.replacing(
                "demo:",
                with: "shout:"
            )
            return plan
        } _: { market in
            let worker = try await PythonWorker.start(
                in: market,
                bus: "\(market.directory)/worker-1"
            )
            let answer = try await market.ask("say it louder", profile: "shout")
            #expect(answer.exit == 0, "\(answer.errors)")
            #expect(try answer.object()["result"] as? String == "SAY IT LOUDER")
            worker.signal(SIGTERM)
            #expect(await worker.wait() == .exited(0))
        }
    }

    /// A market whose seller has no worker of its own, but keys for those of other machines.
    private static func plan(in directory: String, _ port: UInt16) throws -> LocalNetworkPlan {
        let address = try #require(BridgeAddress("127.0.0.1:\(port)"))
        let server = try KeyFile.create("\(directory)/bridge.key")
        var allowed = ""
        for (name, rights) in [
            ("worker-1", "compute"), ("worker-2", "compute"), ("desk", "query,feed-events"),
        ] {
            try FileManager.default.createDirectory(
                atPath: "\(directory)/\(name)",
                withIntermediateDirectories: true
            )
            let key = try RemoteBridge.create(
                in: "\(directory)/\(name)",
                address: address,
                serverKey: server.publicKey
            )
            allowed += "\(rights) \(key) \(name)\n"
        }
        try Data(allowed.utf8).write(to: URL(filePath: "\(directory)/allowed"))
        var plan = LocalNetworkPlan.market(computes: 0)
        for index in plan.nodes.indices where plan.nodes[index].name == "bob" {
            plan.nodes[index].bridgeArguments = [
                "--tcp", "\(address)", "--tcp-key", "\(directory)/bridge.key", "--tcp-allow",
                "\(directory)/allowed",
            ]
        }
        return plan
    }

    private static func compute(in market: Market, _ name: String) async throws -> ChildProcess {
        try await ChildProcess(
            "\(Market.programs)/lcp-compute",
            [
                "--bus-dir", "\(market.directory)/\(name)", "--backend", "deterministic", "--delay",
                "200", "--concurrency", "2", "--capacity", "4",
            ],
            log: "\(market.directory)/logs/\(name).log"
        )
    }

    private static func submit(_ count: Int, at market: Market) async throws -> [BusJobKey] {
        var keys: [BusJobKey] = []
        for number in 0..<count { keys.append(try await market.submit("job \(number)")) }
        return keys
    }
}

/// Ports that nobody listens on.
private enum FreePorts {
    /// The first of ten.
    ///
    /// Below those that the system gives out by itself, so that nobody takes one in between.
    static func first() throws -> UInt16 {
        for _ in 0..<1_000 {
            let first = UInt16.random(in: 1_100...3_200) * 10
            if (0...BusEndpoint.maximumPortOffset).allSatisfy({ isFree(first + $0) }) {
                return first
            }
        }
        throw NoPorts()
    }

    struct NoPorts: Error {}

    private static func isFree(_ port: UInt16) -> Bool {
        let probe = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard probe >= 0 else { return false }
        defer { close(probe) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(probe, $0, size) == 0 }
        }
    }
}
