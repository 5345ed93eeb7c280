/// Why a local network could not be started or used.
package struct LocalNetworkError: Error, Equatable, Sendable {
    /// What to branch on.
    package enum Code: String, Sendable {
        /// A program is not where the others are.
        case missingProgram
        /// The directory can't be used, or the system gives no process.
        case notStarted
        /// A process ended that should not have.
        case died
        /// Something did not become ready in time.
        case notReady
    }

    /// What to branch on.
    package var code: Code
    /// What happened, naming the process and its log.
    package var detail: String

    init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }
}

extension LocalNetworkError: CustomStringConvertible {
    /// Code, detail and advice in one line.
    package var description: String { "\(code.rawValue): \(detail). \(advice)" }

    /// The next step for the person reading this.
    package var advice: String {
        switch code {
        case .missingProgram: "Build all programs: swift build -c release."
        case .notStarted: "Look at the limits of files and processes, and at the free space."
        case .died, .notReady: "Look at the logs; they stay when the network was told to keep them."
        }
    }
}
