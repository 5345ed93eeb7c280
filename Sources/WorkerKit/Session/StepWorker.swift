package import Logging
import ServiceLifecycle

/// Runs the steps of a provider or requester worker until the process is asked to stop.
package struct StepWorker<Handler: StepHandler>: Service {
    /// Makes a worker that connects when it is run.
    package init(options: WorkerOptions, handler: Handler, logger: Logger) {}

    /// Works until a drain has ended.
    package func run() async throws {
        throw WorkFailure("not-merged", "the run loop is on another branch", isRetryable: false)
    }
}
