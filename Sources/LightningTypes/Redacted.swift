/// A value that never reaches a log, an error text or a debugger's dump by accident.
///
/// Its description and mirror are empty of the value; the one way out is ``reveal(_:)``.
package struct Redacted<Value: Sendable>: Sendable {
    private let value: Value

    /// Wraps a value.
    package init(_ value: Value) { self.value = value }

    /// Gives the value out.
    ///
    /// - Parameter why: The reason, for the reader of the code; it goes nowhere at run time.
    /// - Returns: The value itself.
    package func reveal(_ why: StaticString) -> Value { value }
}

extension Redacted: Equatable where Value: Equatable {}
extension Redacted: Hashable where Value: Hashable {}

extension Redacted: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Always `(redacted)`.
    package var description: String { "(redacted)" }

    /// Always `(redacted)`.
    package var debugDescription: String { "(redacted)" }

    /// Shows no child, so that `dump` and string interpolation of an enclosing type stay silent.
    package var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}
