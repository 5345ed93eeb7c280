import BridgeProtocol
import CrashPoints
import LightningTypes
package import Logging
import ServiceLifecycle
import SwiftProtobuf

/// Runs paid computations until the process is asked to stop.
///
/// Each runs in a task of its own, which is cancelled when the bridge takes the item back, when the
/// membership ends, or at the job's deadline. A graceful shutdown says Goodbye and finishes what is
/// there; what still runs at ``WorkerOptions/drainLimit`` is cancelled and left to another worker.
package struct ComputeWorker<Handler: ComputationHandler>: Service {
    private let options: WorkerOptions
    private let handler: Handler
    private let logger: Logger

    /// Makes a worker that connects when it is run.
    ///
    /// - Parameters:
    ///   - options: Where to connect to, and what to say.
    ///   - handler: The backend; runs ``WorkerOptions/concurrency`` computations at a time.
    ///   - logger: Gets one line for each failed computation: its job and a code.
    package init(options: WorkerOptions, handler: Handler, logger: Logger) {
        self.options = options
        self.handler = handler
        self.logger = logger
    }

    /// Works until a drain has ended.
    ///
    /// - Throws: ``WorkerError``; `CancellationError` when the task is cancelled instead.
    package func run() async throws {
        try await WorkerShell(options: options, logger: logger, isBrief: false).run { link in
            while let order = await link.next() {
                await work(order, link)
                link.leave(order)
            }
        }
    }

    /// Runs one computation until it ends, its lease ends, or its deadline passes.
    private func work(_ order: WorkerLink.Order, _ link: WorkerLink) async {
        let lease = order.item.lease
        WorkerCrashPoint.beforeWork.reach()
        await withTaskGroup(of: BusWorkerReply.OneOf_Body?.self) { tasks in
            tasks.addTask { await answer(order, link) }
            tasks.addTask {
                await link.end(of: lease)
                return nil
            }
            if let deadline = order.deadline {
                tasks.addTask { await expire(order, at: deadline) }
            }
            // The first answer counts; without one the lease has ended.
            if let first = await tasks.next(), let answer = first {
                WorkerCrashPoint.afterWork.reach()
                link.handle(.finished(lease: lease, answer))
            }
            tasks.cancelAll()
        }
    }

    private func answer(
        _ order: WorkerLink.Order,
        _ link: WorkerLink
    ) async -> BusWorkerReply.OneOf_Body? {
        do {
            guard case .computation(let item) = order.item else { throw WorkFailure.wrongItem }
            let progress = ComputationProgress(item.lease, of: link)
            let outcome = try await handler.compute(item, progress: progress)
            if case .failure(let failure) = outcome {
                logger.warning(
                    "a computation failed",
                    metadata: order.metadata(failure.code, failure.detail)
                )
            }
            return .compute(order.reply(outcome))
        } catch {
            // What a cancelled backend throws is not worth a line; nothing is sent either.
            return Task.isCancelled ? nil : order.item.failed(error, logger)
        }
    }

    private func expire(
        _ order: WorkerLink.Order,
        at deadline: ContinuousClock.Instant
    ) async -> BusWorkerReply.OneOf_Body? {
        guard (try? await Task.sleep(until: deadline, clock: .continuous)) != nil else {
            return nil
        }
        let failure = WorkFailure(
            "deadline-passed",
            "the computation did not end before the job's deadline",
            isRetryable: false
        )
        logger.warning(
            "a computation failed",
            metadata: order.metadata(failure.code, failure.detail)
        )
        return .compute(order.reply(.failure(failure.message)))
    }
}

extension WorkerLink.Order {
    /// The deadline on this machine's clock: what the bridge's clock says is left, from arrival on.
    fileprivate var deadline: ContinuousClock.Instant? {
        guard case .computation(let item) = item, item.deadlineUnix != 0 else { return nil }
        let left = item.deadlineUnix > item.nowUnix ? item.deadlineUnix - item.nowUnix : 0
        return arrival + .seconds(min(left, 1 << 32))
    }

    fileprivate func reply(_ outcome: BusComputeReply.OneOf_Outcome) -> BusComputeReply {
        BusComputeReply.with {
            $0.lease = item.lease
            $0.outcome = outcome
        }
    }

    fileprivate func metadata(_ code: String, _ detail: String) -> Logger.Metadata {
        [
            "bus.attempt": "\(item.attempt)",
            "lcp.failure": "\(code): \(detail)",
            "lcp.job": "\(Hex.encode(item.job.jobID))",
        ]
    }
}
