package import BridgeProtocol
import struct Foundation.Data

/// The backend of a compute worker.
package protocol ComputationHandler: Sendable {
    /// Runs one paid computation.
    ///
    /// The task is cancelled when the item is revoked, its deadline passes, or the process must
    /// stop; what is returned then goes nowhere. It should return soon after.
    ///
    /// - Parameters:
    ///   - item: The job's input, its limits and its deadline.
    ///   - progress: To be touched while the computation is alive.
    /// - Returns: The result; or a failure, which is final: the job is paid and gets `lcp_error`.
    /// - Throws: ``WorkFailure`` or any other error for what another attempt, perhaps by another
    ///   worker, may do better. It counts as a failed attempt.
    func compute(
        _ item: BusComputeItem,
        progress: ComputationProgress
    ) async throws -> BusComputeReply.OneOf_Outcome
}

/// Keeps the lease of a running computation; comes from the backend itself, so that one that is
/// stuck loses its item to another worker.
package struct ComputationProgress: Sendable {
    private let report: @Sendable () -> Void

    /// Makes one that calls a closure at each touch.
    package init(_ report: @escaping @Sendable () -> Void) { self.report = report }

    init(_ lease: Data, of link: WorkerLink) {
        report = { link.handle(.touched(lease: lease, at: .now)) }
    }

    /// Says that the computation is alive.
    ///
    /// Cheap, from any thread, as often as the backend likes: at most one message goes out in each
    /// interval that the bridge asked for.
    package func touch() { report() }
}
