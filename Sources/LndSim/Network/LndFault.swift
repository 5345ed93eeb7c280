/// What lnd's gRPC server answers when it refuses a call: a status code and an exact text.
///
/// Clients match on these texts, so they are lnd's own, letter for letter.
package struct LndFault: Error, Hashable, Sendable {
    /// The gRPC status number; 2 (Unknown) is what a plain Go error becomes.
    package var code: Int
    /// The status message.
    package var text: String

    /// Takes a status number and its message.
    package init(code: Int, text: String) {
        self.code = code
        self.text = text
    }

    /// A plain Go error: status 2.
    static func unknown(_ text: String) -> LndFault { LndFault(code: 2, text: text) }

    /// Status 3.
    static func invalidArgument(_ text: String) -> LndFault { LndFault(code: 3, text: text) }

    /// Status 5.
    static func notFound(_ text: String) -> LndFault { LndFault(code: 5, text: text) }

    /// Status 6.
    static func alreadyExists(_ text: String) -> LndFault { LndFault(code: 6, text: text) }

    /// What gRPC libraries report when the server or its connection went away: status 14.
    package static let unavailable = LndFault(code: 14, text: "transport is closing")
}
