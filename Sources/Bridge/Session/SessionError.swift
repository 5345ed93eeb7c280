/// Why the session with lnd can't go on.
package struct SessionError: Error, Equatable, Sendable {
    /// What to branch on.
    package enum Code: String, Sendable {
        /// The journal belongs to another node or network than this lnd.
        case otherNode
    }

    /// What to branch on.
    package var code: Code
    /// What happened.
    package var detail: String
}

extension SessionError: CustomStringConvertible {
    /// Code, detail and advice in one line.
    package var description: String { "\(code.rawValue): \(detail). \(advice)" }

    /// The next step for the person reading the log.
    package var advice: String {
        switch code {
        case .otherNode:
            "Connect to the lnd this journal belongs to, or pass another --journal path"
        }
    }
}
