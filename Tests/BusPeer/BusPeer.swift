import ZeroMQ

/// `bus-peer PATH TOPIC`: a process that subscribes and waits to be killed.
@main
enum BusPeer {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3 else { return print("usage: bus-peer PATH TOPIC") }
        let context = try Context()
        let sub = try await context.sub(
            .ipc(path: arguments[1]),
            topics: [Array(arguments[2].utf8)]
        )
        for try await _ in sub.batches {}
    }
}
