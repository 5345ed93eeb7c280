import ArgumentParser
import Bridge
import Journal

/// How long what is over stays on disk.
struct RetentionOptions: ParsableArguments {
    private static let standard = Retention()
    /// Gateways look back five quarters of an hour for what was bought before.
    private static let shortestJob: UInt64 = 7_200
    /// The longest window of a budget, and a day.
    private static let shortestRecord: UInt64 = 31 * 86_400
    private static let longest: UInt64 = 10 * 365 * 86_400

    @Option(
        help: ArgumentHelp(
            "How long prompts and results stay once their job is finished.",
            valueName: "seconds"
        )
    )
    var contentRetentionSeconds = Self.standard.contentSeconds

    @Option(help: ArgumentHelp("How long finished jobs stay.", valueName: "seconds"))
    var jobRetentionSeconds = Self.standard.jobSeconds

    @Option(
        help: ArgumentHelp(
            "How long clients' keys stay, under which nothing is bought twice.",
            valueName: "seconds"
        )
    )
    var keyRetentionSeconds = Self.standard.clientKeySeconds

    @Option(
        help: ArgumentHelp(
            "How long failed payments and cancelled invoices stay.",
            valueName: "seconds"
        )
    )
    var recordRetentionSeconds = Self.standard.recordSeconds

    func apply(to configuration: inout Bridge.Configuration) {
        configuration.retention = Retention(
            contentSeconds: contentRetentionSeconds,
            jobSeconds: jobRetentionSeconds,
            clientKeySeconds: keyRetentionSeconds,
            recordSeconds: recordRetentionSeconds
        )
    }

    func validate() throws {
        try Self.check(contentRetentionSeconds, from: 0, "--content-retention-seconds")
        try Self.check(
            jobRetentionSeconds,
            from: max(Self.shortestJob, contentRetentionSeconds),
            "--job-retention-seconds"
        )
        try Self.check(keyRetentionSeconds, from: jobRetentionSeconds, "--key-retention-seconds")
        try Self.check(
            recordRetentionSeconds,
            from: Self.shortestRecord,
            "--record-retention-seconds"
        )
    }

    /// Refuses what makes no sense: a job outlives its contents, and its key outlives the job.
    private static func check(_ value: UInt64, from least: UInt64, _ name: String) throws {
        guard (least...max(least, longest)).contains(value) else {
            throw ValidationError("\(name) must be \(least) to \(max(least, longest))")
        }
    }
}
