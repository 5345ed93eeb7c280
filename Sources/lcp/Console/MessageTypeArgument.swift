import ArgumentParser
import LCPInspector
import LCPWire

/// A message type on the command line: its number, or its name with or without `lcp_`.
extension V01.MessageType: ExpressibleByArgument {
    /// Reads `42083`, `lcp_quote_request` or `quote_request`.
    package init?(argument: String) {
        let named = Self.allCases.first {
            $0.wireName == argument || $0.wireName == "lcp_\(argument)"
        }
        guard let type = named ?? UInt16(argument).flatMap(Self.init(rawValue:)) else { return nil }
        self = type
    }

    /// Every number and name, for completion and error texts.
    package static var allValueStrings: [String] {
        allCases.flatMap { [String($0.rawValue), $0.wireName] }
    }
}
