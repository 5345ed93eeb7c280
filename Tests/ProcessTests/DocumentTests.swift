import Foundation
import LightningTypes
import LocalNetwork
import Testing

/// The commands of the documents, done as a reader would beside a seller on a simulated network.
@Suite(.serialized, .timeLimit(.minutes(15))) struct DocumentTests {
    @Test func `every block of commands is run here or says what it needs`() throws {
        var run = 0
        for path in try Documents.all() {
            for block in DocumentBlock.all(in: try Documents.text(path)) {
                let place = "\(path):\(block.line)"
                let known = ["sh", "console", "yaml", "swift", "python", "json", ""]
                #expect(known.contains(block.language), "\(place): \(block.language)")
                if block.isRun { run += 1 }
                let isSaid = block.need != nil || !block.isForeign
                #expect(isSaid, "\(place): no test can run this, and no word before it says so")
                guard block.language.isEmpty else { continue }
                let typed = block.lines.filter {
                    $0.firstMatch(of: /^\s*(\$ |(lcp|lcp-[a-z]+|swift|python3?) (-|[a-z]))/) != nil
                }
                #expect(typed.isEmpty, "\(place): commands want a language: \(typed)")
            }
        }
        #expect(run > 20)
    }

    @Test func `links between documents lead to something`() throws {
        let articles = Set(
            try Documents.all().filter { $0.contains(".docc/") }.map {
                URL(filePath: $0).deletingPathExtension().lastPathComponent
            }
        )
        for path in try Documents.all() {
            let text = try Documents.text(path)
            for link in text.matches(of: /<doc:(\w+)>/) {
                #expect(articles.contains(String(link.1)), "\(path): \(link.0)")
            }
            let folder = Documents.root.appending(path: path).deletingLastPathComponent()
            for link in text.matches(of: /\]\(([^)#:]+)(#[^)]*)?\)/) {
                let target = folder.appending(path: String(link.1)).path()
                #expect(FileManager.default.fileExists(atPath: target), "\(path): \(link.0)")
            }
        }
    }

    @Test(
        arguments: try Documents.all().filter { path in
            DocumentBlock.all(in: try Documents.text(path)).contains(where: \.isRun)
        }
    )
    func `what a document says to do can be done`(path: String) async throws {
        let blocks = DocumentBlock.all(in: try Documents.text(path)).filter { block in
            block.isRun && (Self.python != nil || !block.lines.contains { $0.contains("python ") })
        }
        let isLive = blocks.contains(where: \.wantsBridge)
        try await Self.withNetwork(isLive: isLive) { network, directory in
            let gateway = "127.0.0.1:\(try LoopbackPort.free())"
            let script = try await Self.script(network, directory, gateway)
            let text = script.text(blocks)
            let unknown = blocks.filter { $0.language == "sh" }.flatMap(\.lines)
                .filter { $0.contains("…") && !$0.contains("02ab…") }
            #expect(unknown.isEmpty, "no test can fill this in: \(unknown)")
            try Data(text.utf8).write(to: URL(filePath: "\(directory)/script"))
            let reader = try await ChildProcess(
                "/bin/bash",
                ["-c", "cd \"$HOME/work\" && exec bash \"$0\"", "\(directory)/script"],
                environment: Self.environment(
                    directory,
                    lnd: try await network.node("alice"),
                    gateway
                ),
                log: "\(directory)/log"
            )
            guard await reader.wait() != .exited(0) else { return }
            func tail(_ file: String) -> String {
                let bytes = FileManager.default.contents(atPath: "\(directory)/\(file)") ?? Data()
                return String(decoding: bytes.suffix(6_000), as: UTF8.self)
            }
            Issue.record("\(path), \(tail("log"))\n\(tail("beside.log"))")
        }
    }

    // MARK: - The stage

    private static let python = ProcessInfo.processInfo.environment["LCP_PYTHON"]

    /// A bare lnd for the reader, and a seller of the profile `small`, who is there if it is live.
    private static func withNetwork(
        isLive: Bool,
        _ body: @escaping @Sendable (LocalNetwork, String) async throws -> Void
    ) async throws {
        let directory = "/tmp/lcp-doc-\(UUID().uuidString.prefix(8))"
        for folder in ["home/.lnd/data/chain/bitcoin/mainnet", "home/work", "etc", "var"] {
            try FileManager.default.createDirectory(
                atPath: "\(directory)/\(folder)",
                withIntermediateDirectories: true
            )
        }
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var plan = LocalNetworkPlan.market()
        let bob = LocalNetworkPlan.Node("bob", providers: 1, computes: 1)
        plan.nodes = [.bare("alice"), isLive ? bob : .bare("bob")]
        plan.channels = ["alice:bob:1000000:500000"]
        plan.providerConfiguration = plan.providerConfiguration.replacing("demo:", with: "small:")
        plan.programs = LocalNetworkPlan.directory(of: CommandLine.arguments[0])
        plan.patience = .seconds(300)
        try await LocalNetwork.run(plan, in: directory) { try await body($0, directory) }
    }

    private static func script(
        _ network: LocalNetwork,
        _ directory: String,
        _ gateway: String
    ) async throws -> DocumentScript {
        let (alice, bob) = (try await network.node("alice"), try await network.node("bob"))
        let lnd = "\(directory)/home/.lnd"
        let checkout = Documents.root.path()
        for (link, target) in [
            ("\(lnd)/tls.cert", alice.certificate),
            ("\(lnd)/data/chain/bitcoin/mainnet/admin.macaroon", alice.macaroon),
            ("\(directory)/home/work/ipc-schema", "\(checkout)/ipc-schema"),
        ] {
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
        }
        return DocumentScript(
            stage: [
                ("02ab…@host:9735", "\(bob.id.hex)@\(bob.peerAddress)"), ("02ab…", bob.id.hex),
                (".build/release/", ""), ("/run/lcp", "\(directory)/bus"),
                ("/var/lib/lcp", "\(directory)/var"), ("/etc/lcp", "\(directory)/etc"),
                ("/tmp/simnet", "\(directory)/other"), ("localhost:10009", alice.lndAddress),
                ("127.0.0.1:8080", gateway),
                ("BRIDGE-KEY", "'Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID'"),
            ],
            services: Set(try Documents.programs()).subtracting(["lcp"])
        )
    }

    private static func environment(
        _ directory: String,
        lnd: LocalNode,
        _ gateway: String
    ) -> [String: String] {
        let places = [
            LocalNetworkPlan.directory(of: CommandLine.arguments[0]),
            // Where an environment's `python` is; behind a link it would not find its libraries.
            python.map { URL(filePath: $0).deletingLastPathComponent().path() },
            ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin",
        ]
        return [
            "HOME": "\(directory)/home", "LCP_BUS_DIR": "\(directory)/bus",
            "LCP_LND_ADDRESS": lnd.lndAddress, "LCP_GATEWAY_LISTEN": gateway,
            "PATH": places.compactMap(\.self).joined(separator: ":"),
            "PYTHONPATH": Documents.root.appending(path: "ipc-schema/python").path(),
            "PYTHONDONTWRITEBYTECODE": "1",
        ]
    }
}
