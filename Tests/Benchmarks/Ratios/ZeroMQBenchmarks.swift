import Foundation
import ZeroMQ

/// Messages between two processes over `ipc`, next to a plain C program doing the same.
///
/// Each kind takes turns with the other, and the figures are medians over the turns.
enum ZeroMQBenchmarks {
    private static let turns = 15
    private static let messages = 300_000
    private static let trips = 3_000
    private static let bytes = 1_024

    static func run() async throws -> [Ratio] {
        var oneWay: (ours: [Double], reference: [Double]) = ([], [])
        var roundTrip: (ours: [Double], reference: [Double]) = ([], [])
        for _ in 0..<turns {
            oneWay.ours.append(try await pair("pull", "push", messages, isReference: false))
            oneWay.reference.append(try await pair("pull", "push", messages, isReference: true))
            roundTrip.ours.append(try await pair("ping", "echo", trips, isReference: false))
            roundTrip.reference.append(try await pair("ping", "echo", trips, isReference: true))
        }
        return [
            Ratio(
                name: "one message of 1 KiB, ipc, to an async consumer / plain C",
                ours: median(oneWay.ours) / Double(messages) * 1e6,
                reference: median(oneWay.reference) / Double(messages) * 1e6,
                goal: 1 / 0.9
            ),
            Ratio(
                name: "round trip of 1 KiB, ipc, p50 / plain C",
                ours: median(roundTrip.ours) * 1e6,
                reference: median(roundTrip.reference) * 1e6,
                goal: 1.5
            ),
        ]
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    /// Starts both processes and gives the seconds that the measuring one prints.
    private static func pair(
        _ measuring: String,
        _ other: String,
        _ count: Int,
        isReference: Bool
    ) async throws -> Double {
        let path = "/tmp/lcp-benchmark-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let own = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        let reference = own.deletingLastPathComponent().appending(path: "zeromq-reference")
        func start(_ mode: String, _ output: Pipe) throws -> Process {
            let process = Process()
            process.executableURL = isReference ? reference : own
            process.arguments = [mode, "ipc://\(path)", "\(count)", "\(bytes)"]
            process.standardOutput = output
            try process.run()
            return process
        }
        let output = Pipe()
        let partner = try start(other, Pipe())
        let process = try start(measuring, output)
        let text = String(
            decoding: try output.fileHandleForReading.readToEnd() ?? Data(),
            as: UTF8.self
        )
        process.waitUntilExit()
        // It may still have something to send, for nobody.
        partner.terminate()
        partner.waitUntilExit()
        guard let seconds = Double(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw CocoaError(.fileReadCorruptFile)
        }
        return seconds
    }

    /// Is the other process: `MODE ENDPOINT COUNT BYTES`.
    static func serve(_ arguments: [String]) async throws {
        guard arguments.count == 4, let count = Int(arguments[2]), let bytes = Int(arguments[3])
        else { throw CocoaError(.featureUnsupported) }
        let path = String(arguments[1].dropFirst("ipc://".count))
        let context = try Context()
        // What answers at once runs beside the sockets; the consumer of the stream does not.
        if arguments[0] == "ping" || arguments[0] == "echo" {
            try await withTaskExecutorPreference(context.executor) {
                try await exchange(arguments[0], path, count, bytes, context)
            }
        } else {
            try await stream(arguments[0], path, count, bytes, context)
        }
        await context.shutDown()
    }

    private static func stream(
        _ mode: String,
        _ path: String,
        _ count: Int,
        _ bytes: Int,
        _ context: Context
    ) async throws {
        var options = SocketOptions()
        options.linger = .milliseconds(100)
        let message = Message(Frame([UInt8](repeating: 1, count: bytes)))
        let clock = ContinuousClock()
        if mode == "pull" {
            let socket = try await context.pull(.ipc(path: path))
            var received = try await socket.receive().count
            let start = clock.now
            while received < count { received += try await socket.receive().count }
            print((clock.now - start) / .seconds(1))
        } else {
            let socket = try await context.push(.ipc(path: path), options: options)
            let batch = Array(repeating: message, count: 250)
            // Who exits right after sending may lose the end, so more is sent than is counted.
            for _ in 0..<(count / 250 + 4) { try await socket.send(batch) }
        }
    }

    private static func exchange(
        _ mode: String,
        _ path: String,
        _ count: Int,
        _ bytes: Int,
        _ context: Context
    ) async throws {
        let message = Message(Frame([UInt8](repeating: 1, count: bytes)))
        let clock = ContinuousClock()
        if mode == "echo" {
            // The plain C program binds a DEALER here; a ROUTER is what the bus binds.
            let socket = try await context.router(.ipc(path: path))
            var served = 0
            // One more than is answered: the other side has got the last answer.
            while served <= count {
                for asked in try await socket.receive() {
                    if served < count { try await socket.send(asked.tail, to: asked.head) }
                    served += 1
                }
            }
        } else {
            let socket = try await context.dealer(.ipc(path: path))
            var trips: [Double] = []
            for _ in 0..<count {
                let start = clock.now
                try await socket.send(message)
                _ = try await socket.receive()
                trips.append((clock.now - start) / .seconds(1))
            }
            try await socket.send(message)
            print(median(trips))
        }
    }
}
