import BridgeProtocol
import CrashPoints
package import Logging
import ServiceLifecycle

/// Runs the steps of a provider or requester worker until the process is asked to stop.
///
/// Keeps nothing between steps: the job's state comes with the item and goes back with the reply,
/// so a kill at any instruction loses a computation, never a job. A graceful shutdown says Goodbye,
/// finishes what is there and returns; the bridge may come and go meanwhile.
package struct StepWorker<Handler: StepHandler>: Service {
    private let options: WorkerOptions
    private let handler: Handler
    private let logger: Logger

    /// Makes a worker that connects when it is run.
    ///
    /// - Parameters:
    ///   - options: Where to connect to, and what to say.
    ///   - handler: Does the steps; called by ``WorkerOptions/concurrency`` tasks at a time, with
    ///     one of them on the sockets' thread, which spares each step two wake-ups: a handler that
    ///     is stuck there keeps libzmq's own thread from nothing, and loses its lease all the same.
    ///   - logger: Gets one line for each failed item: its job and a code, never its contents.
    package init(options: WorkerOptions, handler: Handler, logger: Logger) {
        self.options = options
        self.handler = handler
        self.logger = logger
    }

    /// Works until a drain has ended.
    ///
    /// - Throws: ``WorkerError``; `CancellationError` when the task is cancelled instead.
    package func run() async throws {
        try await WorkerShell(options: options, logger: logger, isBrief: true).run { link in
            while let order = await link.next() {
                WorkerCrashPoint.beforeWork.reach()
                let answer = answer(order)
                WorkerCrashPoint.afterWork.reach()
                link.handle(.finished(lease: order.item.lease, answer))
                link.leave(order)
            }
        }
    }

    private func answer(_ order: WorkerLink.Order) -> BusWorkerReply.OneOf_Body {
        do {
            guard case .step(let item) = order.item else { throw WorkFailure.wrongItem }
            var reply = try handler.step(item, in: order.context)
            reply.lease = item.lease
            reply.version = item.version
            return .job(reply)
        } catch {
            return order.item.failed(error, logger)
        }
    }
}
