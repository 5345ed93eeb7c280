/// Why keys or their spending could not be read or written.
package struct KeyRingError: Error, Equatable, Sendable {
    /// What to branch on.
    package enum Code: String, Sendable {
        /// A file can't be read or made.
        case unreadable
        /// The file is not one of keys, or holds a line that can't be read.
        case notAKeyFile
        /// Others than its owner may write to the file.
        case openToOthers
        /// Another gateway counts the spending of these keys.
        case lockedByAnotherProcess
        /// A key in use has the name already.
        case nameTaken
        /// No key is called so.
        case unknownKey
        /// What was to be kept is not on disk.
        case notWritten
    }

    /// What to branch on.
    package var code: Code
    /// What happened, naming file, line and key; never a token.
    package var detail: String

    init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }
}

extension KeyRingError: CustomStringConvertible {
    /// Detail and advice in one line.
    package var description: String { "\(detail). \(advice)" }

    /// The next step for the person reading this.
    package var advice: String {
        switch code {
        case .unreadable: "Check the path and its rights: they are the gateway's user's alone."
        case .notAKeyFile: "Mend or remove the line; `lcp-gateway keys list` reads the file."
        case .openToOthers: "Let nobody but its owner write to it: chmod 600."
        case .lockedByAnotherProcess: "Stop the other lcp-gateway, or give each its own --keys."
        case .nameTaken: "Choose another name, or revoke that key first."
        case .unknownKey: "`lcp-gateway keys list` shows the keys there are."
        case .notWritten:
            "Free space on the file's volume; with a budget nothing is bought until then."
        }
    }
}
