package import BridgeProtocol
package import BusClient
package import LightningTypes

/// What a running job may cost, kept from its key's budget until it is known what it did cost.
package struct Reservation: Equatable, Sendable {
    /// Whose budget.
    package var key: KeyID
    /// The submission that may spend it.
    package var submission: SubmissionKey
    /// The most it may cost, routing fees included.
    package var amount: MilliSatoshi
    /// When it was made.
    package var since: UnixTime

    /// What a job has cost its buyer in the end; nil while that is open.
    ///
    /// - Parameter job: The job as the bridge has it.
    /// - Returns: Price and routing fee, or nothing for a job that ended unpaid: the bridge finishes
    ///   no job whose payment is unresolved.
    package static func cost(of job: BusJob) -> MilliSatoshi? {
        if job.view.paidUnix > 0 {
            let price = MilliSatoshi(msat: job.view.priceMsat)
            return price.adding(MilliSatoshi(msat: job.view.feeMsat)) ?? .totalSupply
        }
        return job.finishedUnix > 0 ? .zero : nil
    }

    /// What the bridge knows of a submission.
    package enum Finding: Sendable {
        /// Its job.
        case job(BusJob)
        /// Nothing was submitted, or so long ago that it is forgotten.
        case nothing
        /// There was a job, and it is no longer kept.
        case pruned
    }

    /// What to settle with after a look at the bridge's jobs; nil to look again later.
    ///
    /// - Parameters:
    ///   - finding: What the bridge knows.
    ///   - now: The time.
    /// - Returns: What was spent. What nobody can tell any more counts in full.
    package func outcome(_ finding: Finding, at now: UnixTime) -> MilliSatoshi? {
        switch finding {
        case .job(let job): Self.cost(of: job)
        case .pruned: amount
        case .nothing where now < since.advanced(bySeconds: Self.submissionSeconds): nil
        case .nothing: now < since.advanced(bySeconds: Self.memorySeconds) ? .zero : amount
        }
    }

    /// How long a submission may be on its way to the bridge.
    private static let submissionSeconds: UInt64 = 600
    /// How long the bridge surely remembers a submission.
    private static let memorySeconds: UInt64 = 86_400
}
