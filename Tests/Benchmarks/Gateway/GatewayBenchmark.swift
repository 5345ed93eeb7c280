/// `gateway-benchmark`: what `lcp-gateway` costs over the bare job, and what idle streams cost it.
///
/// Without arguments everything; `instant`, `second` or `streams` one of the parts.
@main
enum GatewayBenchmark {
    static func main() async throws {
        let wanted = Set(CommandLine.arguments.dropFirst())
        let parts: [(name: String, run: () async throws -> Void)] = [
            ("instant", { try await Overhead.instant.run() }),
            ("second", { try await Overhead.ofSecond.run() }), ("streams", IdleStreams.run),
        ]
        for part in parts where wanted.isEmpty || wanted.contains(part.name) {
            try await part.run()
        }
    }
}
