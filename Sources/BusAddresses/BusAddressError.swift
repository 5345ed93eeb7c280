/// Why a file about the bus over tcp can't be used.
package struct BusAddressError: Error, Equatable, Sendable {
    /// What to branch on.
    package enum Code: String, Sendable, CaseIterable {
        /// The file is missing, can't be read or can't be written.
        case unreadable
        /// Other users may read a file that holds a secret key.
        case tooOpen
        /// A line is not what it should be.
        case malformed
        /// A file that would be written is there already.
        case exists
    }

    /// What to branch on.
    package var code: Code
    /// What happened, with the file and the line; never a secret key.
    package var detail: String

    /// Takes code and detail.
    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }
}

extension BusAddressError: CustomStringConvertible {
    /// One line for the log, with what to do.
    package var description: String { "\(code.rawValue): \(detail). \(advice)" }

    /// The next step for whoever reads this.
    package var advice: String {
        switch code {
        case .unreadable: "Check the path and this user's permissions"
        case .tooOpen: "Run chmod 600 on it; make a new key if somebody may have read it"
        case .malformed: "Correct the line; `lcp remote --help` shows the forms"
        case .exists: "Nothing was changed; remove it first if nobody uses it"
        }
    }
}
