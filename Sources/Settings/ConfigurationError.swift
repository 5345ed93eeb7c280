/// What is wrong with a program's configuration.
package struct ConfigurationError: Error, Equatable, Sendable {
    /// What kind of mistake it is; a stable label.
    package enum Code: String, Sendable {
        /// The file can't be read.
        case unreadable
        /// The file is not YAML.
        case notYAML = "not-yaml"
        /// The file has a key nobody reads.
        case unknownKey = "unknown-key"
        /// A value is of the wrong kind, or outside its limits.
        case invalidValue = "invalid-value"
        /// Something needed is not there.
        case missing
    }

    /// What kind of mistake it is.
    package var code: Code
    /// The file and line, `provider.yaml:12`; nil for what no line is to blame for.
    package var place: String?
    /// What is wrong.
    package var detail: String
    /// What to do about it; may be empty.
    package var advice: String

    /// Makes an error.
    package init(_ code: Code, at place: String? = nil, _ detail: String, advice: String = "") {
        self.code = code
        self.place = place
        self.detail = detail
        self.advice = advice
    }
}

extension ConfigurationError: CustomStringConvertible {
    /// Place, detail and advice in one line, as a compiler writes it.
    package var description: String {
        (place.map { "\($0): " } ?? "") + detail + (advice.isEmpty ? "" : ". \(advice)")
    }
}
