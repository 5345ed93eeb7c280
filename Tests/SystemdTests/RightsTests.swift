import Foundation
import Glibc
import LocalNetwork
import Subprocess
import Testing

/// The programs under the users, groups, modes and walls of an installation, as far as that works
/// without systemd as the first process: users by systemd-sysusers, the bus by systemd-tmpfiles, and
/// `setpriv`, `unshare` and a system call filter for what the units say.
@Suite(.timeLimit(.minutes(15))) struct RightsTests {
    private static let modules = "/usr/lib/python3/dist-packages"
    private static let isPossible =
        geteuid() == 0
        && ["systemd-analyze", "systemd-sysusers", "systemd-tmpfiles", "setpriv", "unshare"]
            .allSatisfy(Installation.has)
        && (try? FileManager.default.contentsOfDirectory(atPath: modules))?
            .contains { $0.hasPrefix("seccomp.") } == true

    /// Debian's, which has the package's module.
    private static let python = "/usr/bin/python3"

    private struct Node: Decodable {
        var rpcAddress: String
        var tlsCert: String
        var macaroon: String

        private enum CodingKeys: String, CodingKey {
            case macaroon
            case rpcAddress = "rpc_address"
            case tlsCert = "tls_cert"
        }
    }

    private struct Summary: Decodable {
        var nodes: [Node]
    }

    /// The numbers that sysusers gave, by name.
    private func numbers(_ file: String) -> [String: String] {
        var numbers: [String: String] = [:]
        for line in file.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            if fields.count > 2 { numbers[String(fields[0])] = String(fields[2]) }
        }
        return numbers
    }

    /// The command line that makes a program a service's: its user and groups, no capability, none
    /// to gain, and for a worker no network.
    private func confined(
        _ user: String,
        _ group: String,
        more: [String] = [],
        hasNetwork: Bool
    ) -> [String] {
        let groups = more.isEmpty ? "--clear-groups" : "--groups=\(more.joined(separator: ","))"
        return (hasNetwork ? [] : ["unshare", "--net"]) + [
            "setpriv", "--reuid=\(user)", "--regid=\(group)", groups, "--no-new-privs",
            "--bounding-set=-all", "--inh-caps=-all",
        ]
    }

    @Test(
        .enabled(if: RightsTests.isPossible, "needs root, the packages systemd and python3-seccomp")
    )
    func `each group opens its folder of the bus and no other`() async throws {
        try await Installation.run { image in
            for tool in [["systemd-sysusers"], ["systemd-tmpfiles", "--create"]] {
                let outcome = try await Installation.run(
                    tool[0],
                    ["--root=\(image.root)"] + tool.dropFirst()
                )
                try #require(outcome.status == .exited(0), "\(outcome.errors)")
            }
            let users = numbers(try image.text("/etc/passwd"))
            let groups = numbers(try image.text("/etc/group"))

            // lnd, and its files where systemd would put them for the bridge.
            let simnet = try await ChildProcess(
                "\(Installation.programs)/lcp-simnet",
                ["--dir", image.path("/simnet"), "--node", "alice"],
                log: image.path("/simnet.log")
            )
            let summary = URL(filePath: image.path("/simnet/simnet.json"))
            let deadline = ContinuousClock.now + .seconds(300)
            while !FileManager.default.fileExists(atPath: summary.path()) {
                try #require(ContinuousClock.now < deadline)
                try await Task.sleep(for: .milliseconds(20))
            }
            let nodes = try JSONDecoder().decode(Summary.self, from: Data(contentsOf: summary))
                .nodes
            let lnd = try #require(nodes.first)
            let user = try #require(users["lcp-bridge"])
            try make(image.path("/credentials"), user, 0o500)
            for (name, file) in [("lnd-macaroon", lnd.macaroon), ("lnd-tls-cert", lnd.tlsCert)] {
                let copy = image.path("/credentials/\(name)")
                try FileManager.default.copyItem(atPath: file, toPath: copy)
                try own(copy, user, 0o400)
            }
            try make(image.path("/var/lib/lcp"), user, 0o700)

            let manager = try NotifySocket(image.path("/notify"))
            func start(_ role: String, _ more: [String]) async throws -> ChildProcess {
                let name = "lcp-\(role)"
                let isOne = role == "bridge" || role == "gateway"
                let shared = role == "gateway" ? ["lcp-control", "lcp-watch"] : []
                let walls = confined(
                    try #require(users[name]),
                    try #require(groups[name]),
                    more: try shared.map { try #require(groups[$0]) },
                    hasNetwork: isOne
                )
                // The umask of the units: the bus must not depend on it.
                let unit = isOne ? "\(name).service" : "\(name)@.service"
                let command =
                    ["umask 077; exec \"$@\"", "sh"] + walls + [
                        Self.python, "\(Installation.package)/Tests/SystemdTests/sandbox.py",
                        image.path("/usr/local/lib/systemd/system/\(unit)"),
                        image.path("/usr/local/bin/\(name)"), "--bus-dir", image.path("/run/lcp"),
                    ]
                return try await ChildProcess(
                    "/bin/sh",
                    ["-c"] + command + more,
                    environment: [
                        "NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "2000000",
                        "CREDENTIALS_DIRECTORY": image.path("/credentials"),
                    ],
                    log: image.path("/\(name).log")
                )
            }
            let journal = image.path("/var/lib/lcp/journal.sqlite")
            let bridge = try await start(
                "bridge",
                ["--journal", journal, "--lnd-address", lnd.rpcAddress]
            )
            try await manager.wait(for: "READY=1", "STATUS=lnd is ready", "WATCHDOG=1")

            let worker = try await start("compute", ["--backend", "deterministic"])
            try await manager.wait(for: "READY=1", "STATUS=working for the bridge")

            // The operator makes a key, which the service's user can read and nobody else.
            let keys = image.path("/var/lib/lcp-gateway/keys.jsonl")
            let made = try await Installation.run(
                image.path("/usr/local/bin/lcp-gateway"),
                "keys",
                "add",
                "alice",
                "--keys",
                keys
            )
            try #require(made.status == .exited(0) && made.output.hasPrefix("lcp-"))
            var status = stat()
            try #require(stat(keys, &status) == 0)
            #expect(users["lcp-gateway"] == "\(status.st_uid)" && status.st_mode & 0o777 == 0o600)
            let gateway = try await start("gateway", ["--listen", "127.0.0.1:0", "--keys", keys])
            try await manager.wait(for: "READY=1", "STATUS=serving")

            // Who can open what.
            let rights: [(user: String, group: String, opens: Set<String>)] = [
                ("lcp-provider", "lcp-provider", ["provider/events", "provider/replies"]),
                ("lcp-requester", "lcp-requester", ["requester/events", "requester/replies"]),
                ("lcp-compute", "lcp-compute", ["compute/events", "compute/replies"]),
                ("lcp-compute", "lcp-control", ["control/socket"]),
                ("lcp-compute", "lcp-watch", ["query/socket", "feed/events/socket"]),
                ("lcp-compute", "lcp-messages", ["feed/messages/socket"]),
                ("lcp-compute", "nobody", []),
                ("lcp-gateway", "lcp-gateway", []),
            ]
            for right in rights {
                let group = groups[right.group] ?? "65534"
                let opened = try await Installation.run(
                    "setpriv",
                    Array(confined(try #require(users[right.user]), group, hasNetwork: true)[1...])
                        + [Self.python, "-c", Self.opener, image.path("/run/lcp")]
                )
                let paths = Set(opened.output.split(separator: "\n").map(String.init))
                #expect(paths == right.opens, "\(right.group): \(opened.errors)")
            }
            // Nobody else reads the journal or the macaroon.
            for path in [journal, image.path("/credentials/lnd-macaroon")] {
                let group = try #require(groups["lcp-compute"])
                let read = try await Installation.run(
                    "setpriv",
                    Array(
                        confined(try #require(users["lcp-compute"]), group, hasNetwork: true)[1...]
                    )
                        + ["cat", path]
                )
                #expect(read.status == .exited(1))
            }

            gateway.signal(SIGTERM)
            try await manager.wait(for: "STOPPING=1")
            #expect(await gateway.wait() == .exited(0))
            worker.signal(SIGTERM)
            try await manager.wait(for: "STOPPING=1")
            #expect(await worker.wait() == .exited(0))
            bridge.signal(SIGTERM)
            try await manager.wait(for: "STOPPING=1")
            #expect(await bridge.wait() == .exited(0))
            await simnet.terminate()
        }
    }

    /// Prints the sockets below a directory that it can connect to.
    private static let opener = """
        import socket, sys
        roles = ["provider", "requester", "compute"]
        paths = [f"{role}/{end}" for role in roles for end in ["events", "replies"]]
        for end in ["feed/events", "feed/messages", "control", "query"]:
            paths.append(end + "/socket")
        for path in paths:
            try:
                socket.socket(socket.AF_UNIX).connect(f"{sys.argv[1]}/{path}")
                print(path)
            except PermissionError:
                pass
        """

    private func make(_ path: String, _ user: String, _ mode: mode_t) throws {
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: true
        )
        try own(path, user, mode)
    }

    private func own(_ path: String, _ user: String, _ mode: mode_t) throws {
        let number = try #require(uid_t(user))
        try #require(chown(path, number, 0) == 0 && chmod(path, mode) == 0)
    }
}
