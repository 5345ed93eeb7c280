import BridgeProtocol
import LightningTypes
import WorkerKit

/// What a program is told of its job: environment variables.
struct JobFacts {
    /// The longest params that are told; the kernel bounds each variable.
    private static let maximumParamsBytes = 16_384

    /// `LCP_*` and their values.
    let variables: [(name: String, value: String)]

    /// Collects the facts.
    ///
    /// - Parameter item: The computation.
    /// - Throws: ``WorkFailure`` when a fact can't be a variable's value.
    init(_ item: BusComputeItem) throws(WorkFailure) {
        guard !item.taskKind.utf8.contains(0), !item.profile.utf8.contains(0) else {
            throw WorkFailure("bad-job", "a zero byte in task kind or profile", isRetryable: false)
        }
        guard item.params.count <= Self.maximumParamsBytes else {
            throw WorkFailure(
                "params-too-large",
                "the params have \(item.params.count) bytes, not at most \(Self.maximumParamsBytes)",
                isRetryable: false
            )
        }
        var variables = [
            ("LCP_JOB_ID", Hex.encode(item.job.jobID)),
            ("LCP_PEER", Hex.encode(item.job.peer)),
            ("LCP_TASK_KIND", item.taskKind),
            ("LCP_PROFILE", item.profile),
            ("LCP_PARAMS", Hex.encode(item.params)),
            ("LCP_INPUT_BYTES", "\(item.input.count)"),
            ("LCP_ATTEMPT", "\(item.attempt)"),
        ]
        let limits = item.limits
        if item.deadlineUnix > 0 { variables.append(("LCP_DEADLINE_UNIX", "\(item.deadlineUnix)")) }
        if limits.maxResultBytes > 0 {
            variables.append(("LCP_MAX_RESULT_BYTES", "\(limits.maxResultBytes)"))
        }
        if limits.maxOutputTokens > 0 {
            variables.append(("LCP_MAX_OUTPUT_TOKENS", "\(limits.maxOutputTokens)"))
        }
        if limits.hasTemperatureMilli {
            variables.append(("LCP_TEMPERATURE_MILLI", "\(limits.temperatureMilli)"))
        }
        self.variables = variables
    }
}
