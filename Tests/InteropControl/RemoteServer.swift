import Synchronization

/// A peer that serves.
package final class RemoteServer: Sendable {
    /// Where it listens, on 127.0.0.1.
    package let port: Int

    private let process: PeerProcess
    private let lines: AsyncStream<String>

    private init(port: Int, process: PeerProcess, lines: AsyncStream<String>) {
        self.port = port
        self.process = process
        self.lines = lines
    }

    /// Runs a server while the body does.
    ///
    /// - Parameters:
    ///   - program: Whose server.
    ///   - arguments: Port, certificate and key as the peer's usage says.
    ///   - command: The peer's command.
    ///   - body: Gets the server once it listens.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws, or ``PeerFailure``.
    package static func with<R: Sendable>(
        _ program: PeerProgram,
        _ arguments: [String] = [],
        command: String = "serve",
        _ body: @Sendable @escaping (RemoteServer) async throws -> R
    ) async throws -> R {
        try await program.run([command] + arguments) { process in
            try await withThrowingTaskGroup(of: Void.self) { group in
                let (lines, output) = AsyncStream<String>.makeStream()
                group.addTask {
                    var buffer = FrameBuffer()
                    defer { output.finish() }
                    try await process.read { bytes in
                        buffer.append(bytes)
                        while let line = buffer.nextLine() { output.yield(line) }
                    }
                }
                var iterator = lines.makeAsyncIterator()
                let words = await iterator.next()?.split(separator: " ") ?? []
                guard words.first == "ready", let port = words.last.flatMap({ Int($0) }) else {
                    throw PeerFailure("\(program) does not serve: \(words)")
                }
                let server = RemoteServer(port: port, process: process, lines: lines)
                let result: R
                do {
                    result = try await body(server)
                } catch {
                    process.kill()
                    throw error
                }
                // Whoever stopped or killed it has closed its input already.
                try? await process.closeInput()
                try await group.waitForAll()
                return result
            }
        }
    }

    /// Asks it to end when its calls have ended, and waits for that.
    ///
    /// - Returns: The number of calls of `Unary` it has answered.
    /// - Throws: ``PeerFailure`` when it ends in another way.
    package func stop() async throws -> Int {
        try await process.write(Array("stop\n".utf8))
        for await line in lines {
            let words = line.split(separator: " ")
            if words.first == "served", let count = words.last.flatMap({ Int($0) }) {
                return count
            }
        }
        throw PeerFailure("the server ended without having finished")
    }

    /// Ends it at once, as a crash would, and waits until it is gone.
    package func kill() async {
        process.kill()
        for await _ in lines {}
    }
}
