import Foundation
import GRPCNGHTTP2

/// `lcp-grpc-peer`: our transport as a server, as a client under remote control, and as a load.
///
/// The same program as `InteropTests/Python/peer.py`: same arguments, methods and frames.
@main
enum Peer {
    static func main() async throws {
        let options = try Options(CommandLine.arguments.dropFirst())
        switch options.command {
        case "serve": try await Server(options).run()
        case "call": try await Client(options).run()
        case "bench": try await Load(options).run()
        default: throw UsageError(text: "unknown command \(options.command)")
        }
    }
}

struct UsageError: Error {
    var text: String
}

/// The arguments: a command, then `--name value` pairs.
struct Options {
    let command: String
    private var values: [String: String] = [:]

    init(_ arguments: some Sequence<String>) throws {
        var rest = Array(arguments)[...]
        command = rest.popFirst() ?? ""
        while let name = rest.popFirst() {
            guard name.hasPrefix("--"), let value = rest.popFirst() else {
                throw UsageError(text: "\(name) is no option with a value")
            }
            values[String(name.dropFirst(2))] = value
        }
    }

    subscript(_ name: String) -> String? { values[name] }

    var target: Target {
        get throws {
            guard let text = values["target"], let colon = text.lastIndex(of: ":"),
                let port = UInt16(text[text.index(after: colon)...])
            else { throw UsageError(text: "--target is HOST:PORT") }
            return .dns(host: String(text[..<colon]), port: port)
        }
    }

    var clientSecurity: ClientSecurity {
        values["ca"].map { .tls(trust: .certificateFile($0)) } ?? .plaintext
    }

    var serverSecurity: ServerSecurity {
        guard let certificate = values["cert"], let key = values["key"] else { return .plaintext }
        return .tls(certificateFile: certificate, keyFile: key)
    }
}

/// Standard input as it comes; a thread of its own waits for it, and ends the process with it.
func standardInput() -> AsyncStream<[UInt8]> {
    AsyncStream { continuation in
        Thread.detachNewThread {
            while true {
                let read = FileHandle.standardInput.availableData
                // Whoever started this is gone, or done; so are we.
                guard !read.isEmpty else { exit(0) }
                continuation.yield(Array(read))
            }
        }
    }
}

/// What this process has used.
struct Usage: Codable {
    /// Resident memory in KiB.
    var rss: Int
    /// CPU time in microseconds.
    var cpu: Int

    static func now() throws -> Usage {
        let statm = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        let pages = statm.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        var used = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &used)
        let seconds = Int(used.ru_utime.tv_sec + used.ru_stime.tv_sec)
        let microseconds = Int(used.ru_utime.tv_usec + used.ru_stime.tv_usec)
        return Usage(
            rss: pages * sysconf(Int32(_SC_PAGESIZE)) / 1_024,
            cpu: seconds * 1_000_000 + microseconds
        )
    }
}
