import Foundation
import Subprocess
import Testing

/// What `systemd/install` leaves on a system, and that it takes all of it away again.
@Suite(.timeLimit(.minutes(15)), .serialized) struct InstallTests {
    private static let units = [
        "lcp-bridge.service", "lcp-provider@1.service", "lcp-requester@1.service",
        "lcp-compute@1.service", "lcp-gateway.service",
    ]

    @Test func `an installation is complete, keeps configuration, and goes away whole`()
        async throws
    {
        try await Installation.run { image in
            let share = "/usr/local/share"
            for name in Installation.names {
                let version = try await Installation.run(
                    image.path("/usr/local/bin/\(name)"),
                    "--version"
                )
                #expect(version.status == .exited(0))
                let bash = image.path("\(share)/bash-completion/completions/\(name)")
                #expect(try await Installation.run("bash", "-n", bash).status == .exited(0))
                #expect(
                    try image.text("\(share)/zsh/site-functions/_\(name)").hasPrefix("#compdef")
                )
                #expect(
                    try image.text("\(share)/fish/vendor_completions.d/\(name).fish")
                        .contains("complete -c '\(name)'")
                )
                try await checkManual(image.path("\(share)/man/man1/\(name).1"), of: name)
            }
            #expect(
                try !image.text("/usr/local/lib/systemd/system/lcp-bridge.service").contains("@bin")
            )

            // Everything installed says what the configuration's examples say.
            for role in ["bridge", "provider", "requester", "compute", "gateway"] {
                let shown = try await Installation.run(
                    image.path("/usr/local/bin/lcp-\(role)"),
                    "config",
                    "show",
                    "--origin",
                    "--config",
                    image.path("/etc/lcp/\(role).yaml")
                )
                #expect(shown.output.contains("bus_dir: /run/lcp  # "), "\(shown.errors)")
                #expect(shown.output.contains("\(role).yaml:"))
            }

            let changed = image.path("/etc/lcp/bridge.yaml")
            try Data("journal: /mine\n".utf8).write(to: URL(filePath: changed))
            try await image.install()
            #expect(try image.text("/etc/lcp/bridge.yaml") == "journal: /mine\n")

            let removed = try await Installation.run(
                "\(Installation.package)/systemd/install",
                "--destdir",
                image.root,
                "--uninstall"
            )
            #expect(removed.status == .exited(0), "\(removed.errors)")
            #expect(try image.files() == ["etc/lcp/bridge.yaml"])
            #expect(!FileManager.default.fileExists(atPath: image.path("/usr")))
        }
    }

    private func checkManual(_ path: String, of name: String) async throws {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.contains(".Sh NAME\n.Nm \(name)\n"))
        if Installation.has("mandoc") {
            let lint = try await Installation.run("mandoc", "-T", "lint", "-W", "warning", path)
            #expect(lint.status == .exited(0), "\(lint.output)")
        }
        if Installation.has("man") {
            // Whatever the tests' own locale is: our pages have an ellipsis.
            let man = ["LC_ALL=C.UTF-8", "man", "--warnings", "-l", path]
            let page = try await Installation.run("env", man)
            #expect(page.errors.isEmpty, "\(page.errors)")
            #expect(page.output.contains("OPTIONS") || name == "lcp")
        }
    }

    @Test(.enabled(if: Installation.has("systemd-analyze"), "needs the package systemd"))
    func `systemd finds nothing wrong with the units, and little that is exposed`() async throws {
        try await Installation.run { image in
            // systemd's own units, which ours are ordered by.
            let own = ["/usr/lib/systemd/system", "/lib/systemd/system"].first {
                FileManager.default.fileExists(atPath: "\($0)/sysinit.target")
            }
            let system = image.path("/usr/lib/systemd/system")
            try FileManager.default.createDirectory(
                atPath: image.path("/usr/lib/systemd"),
                withIntermediateDirectories: true
            )
            try FileManager.default.copyItem(atPath: try #require(own), toPath: system)
            let root = "--root=\(image.root)"
            let verified = try await Installation.run(
                "systemd-analyze",
                ["verify", "--recursive-errors=one", "--man=no", root] + Self.units + ["lcp.target"]
            )
            let ours = verified.errors.split(separator: "\n").filter { $0.contains("lcp") }
            #expect(ours.isEmpty && verified.status == .exited(0), "\(verified.errors)")
            for unit in Self.units {
                let exposure = try await Installation.run(
                    "systemd-analyze",
                    "security",
                    "--offline=true",
                    "--no-pager",
                    "--threshold=15",
                    root,
                    unit
                )
                #expect(exposure.status == .exited(0), "\(unit): \(exposure.output.suffix(200))")
                #expect(exposure.output.contains("Overall exposure level for \(unit)"))
            }
        }
    }
}
