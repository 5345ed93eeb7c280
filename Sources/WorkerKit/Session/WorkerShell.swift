import BridgeProtocol
import BusAddresses
import CrashPoints
import Logging
import ServiceLifecycle
import ServiceNotify
import SwiftProtobuf
import ZeroMQ

/// The tasks around a session: one receives, one sends, one waits for the end, and the lanes work.
struct WorkerShell: Sendable {
    let options: WorkerOptions
    let logger: Logger
    /// Whether what a lane does ends at once, as a step does: it may use the sockets' thread.
    let isBrief: Bool

    /// How long the last replies may take to leave.
    private static let flushLimit = Duration.seconds(1)

    /// Runs until a drain ends, the bridge refuses this worker, or the task is cancelled.
    func run(lane: @escaping @Sendable (WorkerLink) async -> Void) async throws {
        let worker = WorkerID.random()
        var logger = logger
        logger[metadataKey: "bus.role"] = "\(options.role.rawValue)"
        logger[metadataKey: "bus.worker"] = "\(worker)"
        let link = WorkerLink(
            session: WorkerSession(worker: worker, role: options.role, hello: hello),
            notifier: options.notifier,
            logger: logger
        )
        let context: Context
        let events: SubSocket
        let replies: PushSocket
        do {
            let location = try BusLocation(directory: options.busDirectory)
            context = try Context()
            events = try await context.sub(
                location.connection(to: .events(options.role)),
                topics: [WorkTopic(worker).bytes],
                options: socketOptions(linger: .zero)
            )
            replies = try await context.push(
                location.connection(to: .replies(options.role)),
                options: socketOptions(linger: Self.flushLimit)
            )
        } catch {
            throw WorkerError(.busUnusable, "\(error)")
        }
        options.notifier.tell("waiting for the bridge")
        logger.info("waiting for the bridge", metadata: ["bus.endpoint": "\(events.endpoint)"])
        await withTaskCancellationHandler {
            await withTaskExecutorPreference(context.executor) {
                await work(link, events, replies) { link in
                    await withTaskExecutorPreference(laneExecutor(context)) { await lane(link) }
                }
            }
        } onCancel: {
            link.handle(.abandoned)
        }
        await context.shutDown()
        switch link.ending {
        case .drained: logger.info("drained")
        case .refused(let failure): throw WorkerError(refused: failure)
        case .abandoned where Task.isCancelled: throw CancellationError()
        case .abandoned, nil: throw WorkerError(.busUnusable, "a socket failed, see the log")
        }
    }

    private func work(
        _ link: WorkerLink,
        _ events: SubSocket,
        _ replies: PushSocket,
        _ lane: @escaping @Sendable (WorkerLink) async -> Void
    ) async {
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await receive(from: events, link) }
            tasks.addTask { await drainWhenAsked(link) }
            tasks.addTask { await leaveUndismissed(link) }
            tasks.addTask { await pulse(replies, link) }
            await withTaskGroup(of: Void.self) { work in
                for _ in 0..<max(1, options.concurrency) { work.addTask { await lane(link) } }
                work.addTask { await sendAll(to: replies, link) }
            }
            tasks.cancelAll()
        }
    }

    /// Where the lanes run: on the sockets' thread, which spares each item two wake-ups, if there is
    /// one lane and its items are brief; else on the pool.
    private func laneExecutor(_ context: Context) -> any TaskExecutor {
        isBrief && options.concurrency <= 1 ? context.executor : globalConcurrentExecutor
    }

    private func receive(from socket: SubSocket, _ link: WorkerLink) async {
        do {
            for try await batch in socket.batches { link.receive(batch) }
        } catch is CancellationError {
            return
        } catch {
            logger.error("the bus can't be read", metadata: ["error": "\(error)"])
        }
        link.handle(.abandoned)
    }

    /// Sends until nothing is left after the end, or until that takes too long.
    private func sendAll(to socket: PushSocket, _ link: WorkerLink) async {
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await send(to: socket, link) }
            tasks.addTask {
                await link.end()
                try? await Task.sleep(for: Self.flushLimit)
            }
            await tasks.next()
            tasks.cancelAll()
        }
    }

    private func send(to socket: PushSocket, _ link: WorkerLink) async {
        while let outgoing = await link.outgoing() {
            let messages = outgoing.replies.compactMap { reply in
                ReplyFrame.encode(reply, maximumBytes: outgoing.maximumBytes)
            }
            let hasOutcome = outgoing.replies.contains { $0.isOutcome }
            do {
                if hasOutcome { WorkerCrashPoint.beforeReply.reach() }
                // Waits while the bridge is away. What is stale by then it drops and counts.
                try await socket.send(messages.map { ZeroMQ.Message($0) })
                if hasOutcome { WorkerCrashPoint.afterReply.reach() }
            } catch is CancellationError {
                return
            } catch {
                logger.error("the bus can't be written to", metadata: ["error": "\(error)"])
                return link.handle(.abandoned)
            }
        }
    }

    private func drainWhenAsked(_ link: WorkerLink) async {
        do {
            try await gracefulShutdown()
            options.notifier.stop("finishing what is under way")
            link.handle(.drainRequested)
            try await Task.sleep(for: options.drainLimit)
            link.handle(.drainLimitReached)
        } catch {
            // Cancelled: everything else has ended already.
        }
    }

    /// Tells the service manager that the worker is there, and then that everything gets ahead.
    private func pulse(_ replies: PushSocket, _ link: WorkerLink) async {
        options.notifier.beat()
        guard let interval = options.notifier.interval else { return }
        while (try? await Task.sleep(for: interval)) != nil {
            // Sends nothing: that the sockets' thread answers is what counts.
            guard (try? await replies.send([])) != nil, !link.isStuck(at: .now) else { continue }
            options.notifier.beat()
        }
    }

    /// Ends a drain whose bridge is away.
    private func leaveUndismissed(_ link: WorkerLink) async {
        while await link.awaitsDismissal() {
            guard (try? await Task.sleep(for: options.dismissalLimit)) != nil else { return }
            link.handle(.dismissalOverdue)
        }
    }

    private var hello: BusHello {
        BusHello.with {
            $0.program = options.program
            $0.capacity = UInt32(clamping: max(1, options.capacity))
            $0.concurrency = UInt32(clamping: max(1, options.concurrency))
            $0.dialects = options.dialects
            $0.capabilities = options.capabilities
        }
    }

    /// A subscription that never reached a bridge must not hold up the end; replies may.
    private func socketOptions(linger: Duration) -> SocketOptions {
        var socket = SocketOptions()
        socket.linger = linger
        // Room for every item the capacity allows, and for what is not an item.
        socket.receiveHighWaterMark = Int32(clamping: options.capacity * 2 + 1_000)
        return socket
    }
}

extension BusWorkerReply {
    /// Whether it ends an item.
    fileprivate var isOutcome: Bool {
        switch body {
        case .job, .compute, .failed: true
        case .hello, .progress, .goodbye, nil: false
        }
    }
}
