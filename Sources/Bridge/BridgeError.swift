/// Why the bridge can't go on, apart from what its parts throw.
package struct BridgeError: Error, Equatable, Sendable {
    /// What to branch on.
    package enum Code: String, Sendable, CaseIterable {
        /// The journal was written beside another node.
        case otherNode
        /// lnd is on another network than it was told or than the journal's.
        case otherNetwork
        /// The directory of the bus can't be made.
        case busDirectory
    }

    /// What to branch on.
    package var code: Code
    /// What happened.
    package var detail: String

    /// Takes code and detail.
    init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }
}

extension BridgeError: CustomStringConvertible {
    /// One line for the log, with what to do.
    package var description: String { "\(code.rawValue): \(detail). \(advice)" }

    private var advice: String {
        switch code {
        case .otherNode: "Pass the journal that belongs to this lnd, or the lnd it belongs to"
        case .otherNetwork: "Connect to the lnd that was meant, or leave --network out"
        case .busDirectory: "Make it for this user, or pass another --bus-dir"
        }
    }
}
