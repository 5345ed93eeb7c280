import Foundation
import GRPCCore
import GRPCNGHTTP2

/// Makes as many calls as it can for a while and prints what they cost.
///
/// Its tasks run on the transport's loop; with `--callers pool` elsewhere, and only the calls there.
struct Load {
    private struct Figures: Encodable {
        var count: Int
        var seconds: Double
        var p50: Double
        var clientCPU: Double
        var serverCPU: Double
    }

    private let options: Options
    private let inFlight: Int
    private let seconds: Double

    init(_ options: Options) {
        self.options = options
        inFlight = options["in-flight"].flatMap { Int($0) } ?? 1
        seconds = options["seconds"].flatMap { Double($0) } ?? 3
    }

    func run() async throws {
        let transport = try HTTP2ClientTransport.forTests(options)
        let isElsewhere = options["callers"] == "pool"
        try await withTaskExecutorPreference(isElsewhere ? nil : try transport.taskExecutor) {
            try await measure(transport)
        }
    }

    private func measure(_ transport: HTTP2ClientTransport) async throws {
        try await withGRPCClient(transport: transport) { client in
            for _ in 0..<200 { _ = try await client.ask("Unary", Self.body) }
            let server = try await client.serverCPU
            let own = try Usage.now().cpu
            let begin = ContinuousClock.now
            let end = begin.advanced(by: .seconds(seconds))
            var latencies: [Double] = []
            var count = 0
            if options["mode"] == "stream" {
                while .now < end { count += try await client.readStream() }
            } else {
                latencies = try await makeCalls(client, until: end)
                count = latencies.count
            }
            let passed = begin.duration(to: .now)
            let ownAfter = try Usage.now().cpu
            let figures = Figures(
                count: count,
                seconds: passed / .seconds(1),
                p50: latencies.isEmpty ? 0 : latencies.sorted()[latencies.count / 2],
                clientCPU: Double(ownAfter - own) / 1e6,
                serverCPU: Double(try await client.serverCPU - server) / 1e6
            )
            FileHandle.standardOutput.write(try JSONEncoder().encode(figures) + Data("\n".utf8))
        }
    }

    private static let body = [UInt8](repeating: 0, count: 64)

    /// Calls from some tasks at once.
    ///
    /// - Returns: The microseconds of each.
    private func makeCalls(
        _ client: GRPCClient<HTTP2ClientTransport>,
        until end: ContinuousClock.Instant
    ) async throws -> [Double] {
        try await withThrowingTaskGroup { group in
            for _ in 0..<inFlight {
                group.addTask {
                    var latencies: [Double] = []
                    var start = ContinuousClock.now
                    while start < end {
                        _ = try await client.ask("Unary", Self.body)
                        let now = ContinuousClock.now
                        latencies.append(start.duration(to: now) / .microseconds(1))
                        start = now
                    }
                    return latencies
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }
}

extension GRPCClient<HTTP2ClientTransport> {
    fileprivate func ask(_ method: String, _ message: [UInt8]) async throws -> [UInt8] {
        try await unary(
            request: ClientRequest(message: message),
            descriptor: .echo(method),
            serializer: BytesSerializer(),
            deserializer: BytesDeserializer(),
            options: .defaults
        ) { try $0.message }
    }

    fileprivate var serverCPU: Int {
        get async throws {
            let answer = Data(try await ask("Probe", []))
            return try JSONDecoder().decode([String: Int].self, from: answer)["cpu"] ?? 0
        }
    }

    /// Ten thousand messages of 1 KiB.
    fileprivate func readStream() async throws -> Int {
        try await serverStreaming(
            request: ClientRequest(message: Array("10000 1024".utf8)),
            descriptor: .echo("ServerStream"),
            serializer: BytesSerializer(),
            deserializer: BytesDeserializer(),
            options: .defaults
        ) { response in
            var count = 0
            for try await _ in response.messages { count += 1 }
            return count
        }
    }
}
