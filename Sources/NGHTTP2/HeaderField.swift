/// One field of a header block: a lower-case name and its value.
///
/// Its description and mirror show the name alone: values may be credentials.
package struct HeaderField: Hashable, Sendable {
    /// Lower case; pseudo-header fields begin with a colon.
    package var name: String

    /// The value as text; bytes that are not UTF-8 are replaced.
    package var value: String

    /// Whether no hop may put the field into a compression table (RFC 7541 §7.1.3).
    package var neverIndexed: Bool

    /// Makes a field.
    ///
    /// - Parameters:
    ///   - name: Lower case.
    ///   - value: Without leading or trailing space.
    ///   - neverIndexed: True for credentials.
    package init(_ name: String, _ value: String, neverIndexed: Bool = false) {
        self.name = name
        self.value = value
        self.neverIndexed = neverIndexed
    }

    /// What the field counts against a header list limit (RFC 9113 §6.5.2): both lengths plus 32.
    package var listSize: Int { name.utf8.count + value.utf8.count + 32 }
}

extension HeaderField: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The name and the length of the value.
    package var description: String { "\(name): (\(value.utf8.count) bytes)" }

    /// The same as ``description``.
    package var debugDescription: String { description }

    /// Shows the name only.
    package var customMirror: Mirror { Mirror(self, children: ["name": name]) }
}
