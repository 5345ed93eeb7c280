import Synchronization

/// A peer that calls, under our control.
package actor RemoteClient {
    package typealias Answer = (reply: Reply, bodies: [[UInt8]])

    private let frames: AsyncStream<[UInt8]>.Continuation
    private var pending: [Int: CheckedContinuation<Answer, any Error>] = [:]
    private var lastID = 0
    private var lastCall = 0
    private var isGone = false

    private init(frames: AsyncStream<[UInt8]>.Continuation) { self.frames = frames }

    /// Runs a client while the body does.
    ///
    /// - Parameters:
    ///   - program: Whose client.
    ///   - arguments: Target and trusted certificate as the peer's usage says.
    ///   - body: Makes the calls.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws, or ``PeerFailure``.
    package static func with<R: Sendable>(
        _ program: PeerProgram,
        _ arguments: [String],
        _ body: @Sendable @escaping (RemoteClient) async throws -> R
    ) async throws -> R {
        try await program.run(["call"] + arguments) { process in
            try await withThrowingTaskGroup(of: Void.self) { group in
                let (frames, input) = AsyncStream<[UInt8]>.makeStream()
                let client = RemoteClient(frames: input)
                group.addTask {
                    // One writer, so that frames never mix.
                    for await frame in frames { try await process.write(frame) }
                    try await process.closeInput()
                }
                group.addTask {
                    var buffer = FrameBuffer()
                    do {
                        try await process.read { bytes in
                            buffer.append(bytes)
                            while let (reply, bodies) = try buffer.next(Reply.self) {
                                await client.received(reply, bodies)
                            }
                        }
                    } catch {
                        await client.gone()
                        throw error
                    }
                    await client.gone()
                }
                let result: R
                do {
                    result = try await body(client)
                } catch {
                    process.kill()
                    throw error
                }
                input.finish()
                try await group.waitForAll()
                return result
            }
        }
    }

    private func received(_ reply: Reply, _ bodies: [[UInt8]]) {
        let asker = pending.removeValue(forKey: reply.id)
        if let broken = reply.broken {
            asker?.resume(throwing: PeerFailure(broken))
        } else {
            asker?.resume(returning: (reply, bodies))
        }
    }

    private func gone() {
        isGone = true
        for asker in pending.values { asker.resume(throwing: PeerFailure("the client has ended")) }
        pending = [:]
    }

    /// Has a command done.
    @discardableResult
    package func ask(_ command: Command, _ bodies: [[UInt8]] = []) async throws -> Answer {
        lastID += 1
        var command = command
        command.id = lastID
        let frame = try command.framed(with: bodies)
        guard !isGone else { throw PeerFailure("the client has ended") }
        return try await withCheckedThrowingContinuation { continuation in
            pending[lastID] = continuation
            frames.yield(frame)
        }
    }

    /// Opens a call or begins a load under a number of its own.
    package func newNumber() -> Int {
        lastCall += 1
        return lastCall
    }
}
