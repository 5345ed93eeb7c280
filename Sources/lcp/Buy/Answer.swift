import BridgeProtocol
import BusClient
import LCPInspector
import LightningTypes

/// What a purchase prints: the answer alone for people and pipes, everything about it as JSON.
struct Answer {
    let result: BoughtResult
    let elapsed: [BusJobStage: Duration]

    /// Why a job that is done has nothing to show; nil when it has.
    var loss: CommandError? {
        guard result.job.view.stage == .done, result.output == nil else { return nil }
        return CommandError(
            code: "not-kept",
            detail: "the answer was delivered and is not kept any more",
            status: ExitStatus.refusedByBridge
        )
    }

    /// Prints the answer alone to standard output.
    ///
    /// - Throws: `ConsoleError`; `CommandError` when the answer can't be shown on a terminal.
    func show() throws {
        guard let output = result.output?.reveal("the buyer wants to see it") else { return }
        guard StandardOutput.isTerminal else {
            try StandardOutput.write(output)
            return
        }
        guard let text = String(validating: output, as: UTF8.self) else {
            let id = Hex.encode(result.job.key.jobID)
            throw CommandError(
                code: "not-text",
                detail: "the answer is \(output.count) bytes and no text: lcp result \(id) > file",
                status: ExitStatus.badData
            )
        }
        // A provider must not move the cursor.
        let shown = Table.printableLines(text)
        try StandardOutput.write(Array((shown.hasSuffix("\n") ? shown : shown + "\n").utf8))
    }

    /// Everything about the job, its contents and the proof of payment included.
    var json: JSONText {
        let job = result.job
        let output = result.output?.reveal("the buyer wants to see it")
        let text = output.flatMap { String(validating: $0, as: UTF8.self) }
        let preimage = result.preimage?.secret.reveal("it is the buyer's proof of payment")
        var members =
            JSONText.identity(job) + JSONText.price(job)
            + [
                .init(name: "preimage", value: .text(preimage?.hex)),
                .init(name: "content_type", value: .nonEmpty(job.view.contentType)),
                .init(name: "result", value: .text(text)),
            ]
        if text == nil, let output {
            members.append(.init(name: "result_hex", value: .string(Hex.encode(output))))
        }
        members += [
            .init(name: "failure", value: .failure(job.view)),
            .init(name: "times", value: .times(job, elapsed: milliseconds)),
        ]
        return .object(members)
    }

    /// When this process saw each stage first, in milliseconds since it began.
    private var milliseconds: JSONText {
        .object(
            BusJobStage.named.compactMap { stage in
                elapsed[stage].map { duration in
                    let parts = duration.components
                    let micros =
                        UInt64(clamping: parts.seconds) * 1_000_000
                        + UInt64(clamping: parts.attoseconds / 1_000_000_000_000)
                    return .init(name: stage.label, value: .decimal(thousandths: micros))
                }
            }
        )
    }
}
