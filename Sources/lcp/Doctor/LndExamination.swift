import Glibc
import GRPCNGHTTP2
import LightningTypes
import LndRPC

/// lnd, asked by a client that has what the bridge has.
struct LndExamination: Sendable {
    private let connection: LndConnection
    private let role: BridgeRole
    /// What the bridge may still spend today; nil when it could not be asked.
    private let budget: MilliSatoshi?

    init(_ connection: LndConnection, role: BridgeRole, budget: MilliSatoshi?) {
        self.connection = connection
        self.role = role
        self.budget = budget
    }

    /// Looks at everything, each thing as far as what comes before it allows.
    func run() async throws -> [Finding] {
        var findings = certificate
        let connection = connection
        let (state, first) = try await LndOptions.withLnd(connection, timeout: .seconds(5)) {
            await Self.state(of: $0, connection)
        }
        findings.append(first)
        let (contents, macaroon) = macaroon
        findings += macaroon
        guard state == .serverActive else { return findings }
        findings += try await LndOptions.withLnd(connection) { await node($0, contents) }
        return findings
    }

    // MARK: - Files

    private var certificate: [Finding] {
        guard let path = connection.certificatePath else { return [] }
        let renewal = "move lnd's tls.cert and tls.key away and restart lnd; it makes new ones"
        do throws(GRPCTransportError) {
            let facts = try CertificateFacts(file: path)
            if facts.secondsUntilValid > 0 {
                return [
                    .problem(
                        "lnd.certificate",
                        "\(path) is not valid before \(facts.notBefore)",
                        fix: "timedatectl set-ntp true"
                    )
                ]
            }
            if facts.secondsLeft <= 0 {
                return [
                    .problem("lnd.certificate", "\(path) ended \(facts.notAfter)", fix: renewal)
                ]
            }
            let detail = "\(path) is valid until \(facts.notAfter)"
            return [
                facts.secondsLeft < 30 * 86_400
                    ? .warning("lnd.certificate", detail, fix: renewal)
                    : .ok("lnd.certificate", detail)
            ]
        } catch {
            return [.problem("lnd.certificate", error.detail, fix: error.advice)]
        }
    }

    private var macaroon: (MacaroonContents?, [Finding]) {
        guard let path = connection.macaroonPath else {
            return (
                nil,
                [
                    .skipped(
                        "lnd.macaroon",
                        "no macaroon was given",
                        fix: "lcp doctor --lnd-macaroon FILE …"
                    )
                ]
            )
        }
        do throws(LndError) {
            let contents = try MacaroonContents(file: path)
            let found = MacaroonExamination(contents: contents, role: role, path: path).findings
            return (contents, found + secrecy(of: path))
        } catch {
            return (nil, [.problem("lnd.macaroon", error.detail, fix: error.advice)])
        }
    }

    private func secrecy(of path: String) -> [Finding] {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & 0o007 != 0 else { return [] }
        return [
            .problem(
                "lnd.macaroon.secrecy",
                "every user of this machine may read \(path)",
                fix: "chmod o-rwx \(path)"
            )
        ]
    }

    // MARK: - Calls

    private static func state(
        of lnd: LndNode<HTTP2ClientTransport>,
        _ connection: LndConnection
    ) async -> (WalletState?, Finding) {
        // The connection is made only now; a call before it would fail at once.
        let deadline = ContinuousClock.now + .seconds(5)
        while true {
            do throws(LndError) {
                let state = try await lnd.getState()
                return (state, finding(of: state, connection))
            } catch {
                if error.code == .unimplemented {
                    return (.serverActive, .ok("lnd", "lnd answers at \(connection.address)"))
                }
                let isEarly = error.code == .unavailable && .now < deadline
                if isEarly, (try? await Task.sleep(for: .milliseconds(50))) != nil { continue }
                return (nil, .problem("lnd", error.detail, fix: error.advice))
            }
        }
    }

    private static func finding(of state: WalletState, _ connection: LndConnection) -> Finding {
        switch state {
        case .serverActive: .ok("lnd", "lnd answers at \(connection.address) and is ready")
        case .locked: .problem("lnd", "lnd's wallet is locked", fix: "lncli unlock")
        case .nonExisting: .problem("lnd", "lnd has no wallet", fix: "lncli create")
        case .waitingToStart:
            .problem("lnd", "lnd waits to become its cluster's leader", fix: "lncli state")
        case .unlocked, .rpcActive:
            .problem("lnd", "lnd is starting and syncing", fix: "lncli state, and wait")
        }
    }

    private func node(
        _ lnd: LndNode<HTTP2ClientTransport>,
        _ contents: MacaroonContents?
    ) async -> [Finding] {
        func mayCall(_ call: LndCall) -> Bool { contents?.allows(call) ?? true }
        guard mayCall(.getInfo) else { return [] }
        var findings: [Finding] = []
        do throws(LndError) {
            let info = try await Self.patiently { () throws(LndError) in try await lnd.getInfo() }
            findings += LndFindings.node(info, now: UInt64(clamping: time(nil)))
            guard mayCall(.listChannels) else { return findings }
            let channels = try await lnd.listChannels()
            findings += LndFindings.liquidity(channels, for: role, budget: budget)
            guard mayCall(.listPeers) else { return findings }
            findings += LndFindings.slots(try await lnd.listPeers(), channels)
        } catch {
            findings.append(
                .problem(
                    error.code == .macaroonInvalid ? "lnd.macaroon" : "lnd.calls",
                    error.detail,
                    fix: error.advice
                )
            )
        }
        return findings
    }

    /// Makes the first call of a client, whose connection may not stand yet.
    private static func patiently<Answer>(
        _ call: () async throws(LndError) -> Answer
    ) async throws(LndError) -> Answer {
        for _ in 0..<60 {
            do throws(LndError) {
                return try await call()
            } catch {
                guard error.code == .unavailable,
                    (try? await Task.sleep(for: .milliseconds(50))) != nil
                else { throw error }
            }
        }
        return try await call()
    }
}
