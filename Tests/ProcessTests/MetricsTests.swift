import Foundation
import Glibc
import ScriptedBridge
import Subprocess
import Testing

/// `lcp metrics` as a process: printed, and served.
@Suite(.timeLimit(.minutes(10))) struct MetricsTests {
    private let peer = "02" + String(repeating: "07", count: 32)

    @Test func `numbers are printed with their kinds and units`() async throws {
        let peer = peer
        try await ScriptedBus.with { _, lcp in
            let ask = ["ask", "--peer", peer, "--profile", "echo", "--max-price", "60", "x"]
            _ = try await lcp.run(ask)
            let outcome = try await lcp.run(["metrics"])
            #expect(outcome.status == .exited(0), "\(outcome.errors)")
            let samples = try parse(outcome.output)
            #expect(samples["lcp_up"] == 1)
            #expect(samples["lcp_spent_msat_total"] == 57_355)
            #expect(samples["lcp_routing_fees_msat_total"] == 21)
            #expect(samples[#"lcp_jobs{role="requester",stage="running"}"#] == 0)
            #expect(samples[#"lcp_workers{role="requester"}"#] == 1)
            #expect(samples[#"lcp_bridge_events_total{event="bus.stale_replies"}"#] == 2)
        }
    }

    @Test func `they are served on this machine's own address until a signal`() async throws {
        try await ScriptedBus.with { bridge, lcp in
            let result = try await Subprocess.run(
                Program(name: "lcp").executable,
                arguments: ["metrics", "--listen", "127.0.0.1:0", "--bus-dir", lcp.directory],
                input: .none,
                output: .discarded,
                error: .sequence
            ) { process in
                var lines = process.standardError.strings().makeAsyncIterator()
                let line = try await lines.next() ?? ""
                let match = line.firstMatch(of: /127\.0\.0\.1:(\d+)/)
                let port = try #require(match.flatMap { UInt16($0.output.1) })
                var (get, body) = ("", "".endIndex)
                repeat {
                    // A bridge that does not answer in time counts as down.
                    get = try await exchange(port, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
                    #expect(get.hasPrefix("HTTP/1.1 200 OK\r\n"))
                    body = try #require(get.firstRange(of: "\r\n\r\n")).upperBound
                } while try parse(String(get[body...]))["lcp_up"] != 1
                #expect(get.contains("Content-Length: \(get[body...].utf8.count)\r\n"))

                let others = [
                    ("GET / HTTP/1.1\r\n\r\n", "404"), ("POST /metrics HTTP/1.1\r\n\r\n", "405"),
                    ("nonsense\r\n\r\n", "400"), ("\u{16}\u{03}\u{01}\r\n\r\n", "400"),
                ]
                for (request, code) in others {
                    let answer = try await exchange(port, request)
                    #expect(answer.hasPrefix("HTTP/1.1 \(code) "), "\(request)")
                }
                // A head without end is dropped, and does not keep others waiting.
                let endless = String(repeating: "x", count: 20_000)
                #expect(try await exchange(port, endless) == "")

                await bridge.stop()
                let away = try await exchange(port, "GET /metrics HTTP/1.0\r\n\r\n")
                #expect(away.contains("\nlcp_up 0\n"), "\(away)")
                try process.send(signal: .terminate)
            }
            #expect(result.terminationStatus == .exited(0))
        }
    }

    @Test(arguments: ["0.0.0.0:9100", "192.168.1.2:9100", "[::]:9100", "example.org:80", "9100"])
    func `other addresses are refused`(address: String) async throws {
        let outcome = try await Program(name: "lcp").run("metrics", "--listen", address)
        #expect(outcome.status == .exited(64))
    }

    /// Sends bytes and reads until the connection ends.
    private func exchange(_ port: UInt16, _ request: String) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            // Blocking, so on a thread of its own.
            Thread.detachNewThread {
                let socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
                defer { close(socket) }
                var address = sockaddr_in()
                address.sin_family = sa_family_t(AF_INET)
                address.sin_port = port.bigEndian
                address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
                let isConnected = withUnsafePointer(to: &address) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                    }
                }
                guard isConnected else {
                    continuation.resume(throwing: CancellationError())
                    return
                }
                let bytes = Array(request.utf8)
                _ = send(socket, bytes, bytes.count, CInt(MSG_NOSIGNAL))
                var answer: [UInt8] = []
                var buffer = [UInt8](repeating: 0, count: 65_536)
                while true {
                    let count = recv(socket, &buffer, buffer.count, 0)
                    guard count > 0 else { break }
                    answer += buffer.prefix(count)
                }
                continuation.resume(returning: String(decoding: answer, as: UTF8.self))
            }
        }
    }

    /// The samples by name and labels; each must have been announced with help and kind.
    private func parse(_ text: String) throws -> [String: Int] {
        var samples: [String: Int] = [:]
        var kinds: [String: String] = [:]
        for line in text.split(separator: "\n") {
            if line.hasPrefix("# TYPE ") {
                let words = line.split(separator: " ")
                kinds[String(words[2])] = String(words[3])
            } else if !line.hasPrefix("#") {
                let space = try #require(line.lastIndex(of: " "))
                let name = String(line[..<space].prefix { $0 != "{" })
                #expect(kinds[name] == (name.hasSuffix("_total") ? "counter" : "gauge"), "\(name)")
                samples[String(line[..<space])] = Int(line[line.index(after: space)...])
            }
        }
        return samples
    }
}
