/// Why a simulated network can't be run.
package struct SimnetError: Error, Equatable, Sendable {
    /// What stands in the way.
    package enum Code: String, Sendable {
        /// Another process runs in the directory.
        case directoryInUse
        /// A file can't be read or written.
        case fileRefused
        /// The log is damaged or of another version.
        case logUnreadable
        /// A name, a channel or a number makes no sense.
        case invalidOption
        /// An address can't be listened on.
        case addressRefused
    }

    /// What stands in the way.
    package let code: Code
    /// What happened, naming the file, option or address.
    package let detail: String

    init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }
}

extension SimnetError: CustomStringConvertible {
    /// Code, detail and advice in one line.
    package var description: String { "\(code.rawValue): \(detail). \(advice)" }

    private var advice: String {
        switch code {
        case .directoryInUse: "Stop the other lcp-simnet, or pass another --dir."
        case .fileRefused: "Check the directory's owner and free space."
        case .logUnreadable: "Start with a new directory."
        case .invalidOption: "See lcp-simnet --help."
        case .addressRefused: "Pass another --port-base, or none for free ports."
        }
    }
}
