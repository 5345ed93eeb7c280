import Glibc
import Settings

/// The gateway: where it listens, who may use it, and whether it answers.
struct GatewayExamination: Sendable {
    /// Where the installation has its configuration.
    static let systemPath = "/etc/lcp/gateway.yaml"

    /// The gateway's configuration.
    private let path: String
    /// Whether somebody asked for this gateway: one that is only installed need not run.
    private let isAskedFor: Bool

    /// Looks at a gateway by its configuration; nil when none is named or installed.
    init?(configuration: String?) {
        isAskedFor = configuration != nil
        path = configuration ?? Self.systemPath
        guard isAskedFor || access(path, R_OK) == 0 else { return nil }
    }

    /// What a gateway's configuration says that matters here.
    private struct Configuration {
        /// The gateway's own default.
        var host = "127.0.0.1"
        var port: UInt16 = 8080
        var keys: String?

        init(_ path: String) throws(ConfigurationError) {
            let table = try ConfigurationTable.read(path)
            if let listen = try table.text("listen") {
                guard let address = HostAndPort(argument: listen) else {
                    throw table.invalid("listen", "must be host:port")
                }
                (host, port) = (address.host, address.port)
            }
            keys = try table.text("keys")
        }

        var isLoopback: Bool {
            host.hasPrefix("127.") || host == "::1" || host == "localhost"
        }

        /// Where this machine reaches it.
        var url: String {
            let near = host == "0.0.0.0" ? "127.0.0.1" : host == "::" ? "::1" : host
            return "http://\(near.contains(":") ? "[\(near)]" : near):\(port)"
        }
    }

    /// Looks at everything.
    func run() async throws -> [Finding] {
        let configuration: Configuration
        do throws(ConfigurationError) {
            configuration = try Configuration(path)
        } catch {
            return [
                .problem(
                    "gateway",
                    "\(error)",
                    fix: "lcp-gateway config check --config \(path)"
                )
            ]
        }
        return [try await health(configuration)] + admission(configuration)
    }

    // MARK: - Health

    private func health(_ configuration: Configuration) async throws -> Finding {
        let url = configuration.url
        let answer: Web.Answer
        do {
            answer = try await Web.answer(of: "\(url)/health", within: 5)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            let fix = "systemctl start lcp-gateway, or lcp-gateway --config \(path)"
            return isAskedFor
                ? .problem("gateway", "no gateway answers at \(url)", fix: fix)
                : .skipped("gateway", "no gateway answers at \(url)", fix: fix)
        }
        return answer.status == 200
            ? .ok("gateway", "the gateway answers at \(url)")
            : .problem(
                "gateway",
                "\(url)/health answers with \(answer.status)",
                fix: "systemctl status lcp-gateway, and lcp status for its bridge"
            )
    }

    // MARK: - Admission

    private func admission(_ configuration: Configuration) -> [Finding] {
        guard let keys = configuration.keys else {
            return [
                .wrong(
                    "gateway.keys",
                    configuration.isLoopback
                        ? "every user of this machine can spend through the gateway: it has no keys"
                        : "whoever reaches \(configuration.host) can spend: the gateway has no keys",
                    fix: "lcp-gateway keys add NAME --keys FILE, and keys: FILE in \(path)",
                    ifProblem: !configuration.isLoopback
                )
            ]
        }
        let listening: Finding =
            configuration.isLoopback
            ? .ok("gateway.listen", "only this machine reaches \(configuration.url)")
            : .warning(
                "gateway.listen",
                "keys and prompts travel to \(configuration.host) as plain HTTP",
                fix: "listen: 127.0.0.1:\(configuration.port) in \(path), behind a proxy with TLS"
            )
        return [secrecy(of: keys), listening]
    }

    private func secrecy(of keys: String) -> Finding {
        var status = stat()
        guard stat(keys, &status) == 0 else {
            return errno == EACCES
                ? .skipped(
                    "gateway.keys",
                    "this user may not look at \(keys)",
                    fix: "sudo lcp doctor"
                )
                : .warning(
                    "gateway.keys",
                    "there are no keys in \(keys): nobody can use the gateway",
                    fix: "lcp-gateway keys add NAME --keys \(keys)"
                )
        }
        guard status.st_mode & 0o077 == 0 else {
            return .problem(
                "gateway.keys",
                "others than its owner may open \(keys)",
                fix: "chmod 600 \(keys)"
            )
        }
        return .ok("gateway.keys", "\(keys) is its owner's alone")
    }
}
