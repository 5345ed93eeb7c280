import BridgeProtocol

/// Why a worker could not go on.
package struct WorkerError: Error, Equatable, Sendable {
    /// What to branch on.
    package enum Code: String, Sendable {
        /// The bridge will not give this worker work.
        case refused
        /// A socket could not be opened or failed for good.
        case busUnusable
    }

    /// What to branch on.
    package var code: Code
    /// What happened, in the words of the bridge or of the socket.
    package var detail: String
    /// What the bridge advises; else the advice of the code.
    private let ownAdvice: String?

    init(_ code: Code, _ detail: String, advice: String? = nil) {
        self.code = code
        self.detail = detail
        ownAdvice = advice
    }

    init(refused failure: BusFailure) {
        self.init(
            .refused,
            failure.code.isEmpty ? failure.detail : "\(failure.code): \(failure.detail)",
            advice: failure.advice.isEmpty ? nil : failure.advice
        )
    }
}

extension WorkerError: CustomStringConvertible {
    /// Code, detail and advice in one line.
    package var description: String { "\(code.rawValue): \(detail). \(advice)" }

    /// The next step for the person reading the log.
    package var advice: String {
        if let ownAdvice { return ownAdvice }
        return switch code {
        case .refused: "Compare this worker's version and options with the bridge's log."
        case .busUnusable: "Check the bus directory and its rights; see --bus-dir."
        }
    }
}
