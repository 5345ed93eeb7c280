import CLinux
import Glibc
import Journal
import LightningTypes

/// The machine: its clock, the journal's file, and where the backends listen.
struct HostExamination {
    let journal: String?
    let backends: [HostAndPort]

    /// Looks at everything.
    func run() -> [Finding] { [clock] + file + backends.map { reach($0) } }

    /// Messages of LCP expire within minutes, so clocks must agree to seconds.
    private var clock: Finding {
        var error: Int64 = 0
        switch lcp_clock_is_kept(&error) {
        case 1:
            return error < 1_000_000
                ? .ok("clock", "the clock is kept by the system, to \(error / 1_000) ms")
                : .warning(
                    "clock",
                    "the clock may be wrong by \(error / 1_000_000) s",
                    fix: "timedatectl set-ntp true"
                )
        case 0:
            return .warning(
                "clock",
                "nothing is known to keep this machine's clock right",
                fix: "timedatectl set-ntp true"
            )
        default:
            return .skipped(
                "clock",
                "the kernel does not tell how the clock is kept",
                fix: "timedatectl timesync-status"
            )
        }
    }

    private var file: [Finding] {
        guard let journal else {
            return [
                .skipped(
                    "journal",
                    "the journal's file was not looked at",
                    fix: "lcp doctor --journal PATH …"
                )
            ]
        }
        do throws(JournalError) {
            let file = try JournalFile(path: journal)
            let damage = try file.check(.quick)
            guard damage.isEmpty else {
                return [
                    .problem(
                        "journal",
                        "\(journal) is damaged: \(damage.count) findings",
                        fix: "systemctl stop lcp-bridge, then lcp journal check \(journal)"
                    )
                ]
            }
            let summary = try file.summary()
            let detail = """
                \(journal) is sound: \(summary.openJobs) open jobs, \(summary.unresolvedPayments) \
                unresolved payments, \(summary.fileBytes >> 10) KiB
                """
            return [.ok("journal", detail)] + room(for: journal) + secrecy(of: journal)
        } catch {
            return [.problem("journal", error.detail, fix: error.advice)]
        }
    }

    private func room(for path: String) -> [Finding] {
        var volume = statvfs()
        guard statvfs(path, &volume) == 0 else { return [] }
        let free = UInt64(volume.f_bavail) * UInt64(volume.f_frsize)
        let detail = "\(free >> 20) MiB are free on its volume"
        guard free < 1 << 30 else { return [.ok("journal.room", detail)] }
        return [
            .wrong(
                "journal.room",
                detail,
                fix: "free some space: df -h \(path)",
                ifProblem: free < 64 << 20
            )
        ]
    }

    private func secrecy(of path: String) -> [Finding] {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & 0o007 != 0 else { return [] }
        return [
            .problem(
                "journal.secrecy",
                "every user of this machine may read \(path), prompts included",
                fix: "chmod o-rwx \(path)*"
            )
        ]
    }

    // MARK: - Backends

    private func reach(_ backend: HostAndPort) -> Finding {
        let name = "\(backend.host):\(backend.port)"
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(backend.host, "\(backend.port)", &hints, &found) == 0 else {
            return .problem(
                "backend",
                "the name \(backend.host) is not known",
                fix: "getent hosts \(backend.host)"
            )
        }
        defer { freeaddrinfo(found) }
        var address = found
        while let next = address {
            if Self.answers(next.pointee) { return .ok("backend", "\(name) takes connections") }
            address = next.pointee.ai_next
        }
        return .problem(
            "backend",
            "nothing takes connections at \(name)",
            fix: "start the backend, and look with: ss -ltn 'sport = :\(backend.port)'"
        )
    }

    /// Whether a connection is made within two seconds.
    private static func answers(_ address: addrinfo) -> Bool {
        let kind = address.ai_socktype | CInt(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let socket = socket(address.ai_family, kind, address.ai_protocol)
        guard socket >= 0 else { return false }
        defer { close(socket) }
        if connect(socket, address.ai_addr, address.ai_addrlen) == 0 { return true }
        guard errno == EINPROGRESS else { return false }
        var waiting = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
        guard poll(&waiting, 1, 2_000) == 1 else { return false }
        var failure: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        return getsockopt(socket, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 && failure == 0
    }
}
