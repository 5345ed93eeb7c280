import FoundationEssentials
import Glibc

/// What the processes around a bus directory on this machine have used so far.
///
/// They are found in `/proc`, by what they were started with: programs called `lcp-…` whose
/// `--bus-dir` or `LCP_BUS_DIR` is one of ours, as far as this user may look; and this process.
struct ProcessUsage: Sendable {
    /// One process.
    struct Process: Sendable {
        /// The program's file name.
        var program: String
        /// User and system time since the process began.
        var cpu: Duration
        /// The most memory that was ever resident, in bytes.
        var peakBytes: UInt64
    }

    /// By process id.
    private(set) var processes: [Int32: Process] = [:]

    /// Looks at the processes of these directories.
    init(of busDirectories: [String]) {
        let wanted = Set(busDirectories.compactMap { Self.canonical($0, below: ".") })
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let pid = Int32(name), let program = Self.program(pid) else { continue }
            guard
                pid == getpid()
                    || program.hasPrefix("lcp-")
                        && Self.busDirectory(pid).map(wanted.contains) == true
            else { continue }
            processes[pid] = Self.usage(pid, program)
        }
    }

    /// What each process used since an earlier look; a process that has ended since is missing.
    func since(_ earlier: ProcessUsage) -> [(pid: Int32, process: Process)] {
        processes.map { pid, process in
            var process = process
            if let before = earlier.processes[pid] { process.cpu -= before.cpu }
            return (pid, process)
        }
        .sorted { $0.pid < $1.pid }
    }

    // MARK: - /proc

    private static func program(_ pid: Int32) -> String? {
        text("/proc/\(pid)/comm").map { String($0.prefix { $0 != "\n" }) }
    }

    /// The bus directory a process was started for, links followed.
    private static func busDirectory(_ pid: Int32) -> String? {
        let arguments = (text("/proc/\(pid)/cmdline") ?? "").split(separator: "\0").map(String.init)
        var directory: String?
        for (index, argument) in arguments.enumerated() {
            if argument == option, index + 1 < arguments.count { directory = arguments[index + 1] }
            if argument.hasPrefix(option + "=") {
                directory = String(argument.dropFirst(option.count + 1))
            }
        }
        let variables = (text("/proc/\(pid)/environ") ?? "").split(separator: "\0")
        directory =
            directory
            ?? variables.first { $0.hasPrefix(variable) }.map {
                String($0.dropFirst(variable.count))
            }
        return directory.flatMap { canonical($0, below: "/proc/\(pid)/cwd") }
    }

    private static let option = "--bus-dir"
    private static let variable = "LCP_BUS_DIR="

    private static func usage(_ pid: Int32, _ program: String) -> Process? {
        // The name stands in parentheses and may hold anything; what follows are numbers.
        guard let line = text("/proc/\(pid)/stat"), let close = line.lastIndex(of: ")") else {
            return nil
        }
        // From the state on, proc_pid_stat(5) 3: user time is 14, system time 15.
        let fields = line[line.index(after: close)...].split(separator: " ")
        guard fields.count > 12, let user = Int64(fields[11]), let system = Int64(fields[12]) else {
            return nil
        }
        let ticks = Int64(sysconf(Int32(_SC_CLK_TCK)))
        return Process(
            program: program,
            cpu: .microseconds((user + system) * 1_000_000 / max(1, ticks)),
            peakBytes: peak(pid)
        )
    }

    private static func peak(_ pid: Int32) -> UInt64 {
        for line in (text("/proc/\(pid)/status") ?? "").split(separator: "\n")
        where line.hasPrefix("VmHWM:") {
            return (UInt64(line.filter(\.isNumber)) ?? 0) * 1024
        }
        return 0
    }

    private static func text(_ path: String) -> String? {
        // Files of /proc have no size to be asked for, and vanish with their process.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while bytes.count < 1 << 20 {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func canonical(_ path: String, below directory: String) -> String? {
        guard let real = realpath(path.hasPrefix("/") ? path : "\(directory)/\(path)", nil) else {
            return nil
        }
        defer { free(real) }
        return String(cString: real)
    }
}
