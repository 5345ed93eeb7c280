/// How patient a client is.
package struct BusClientSettings: Sendable {
    /// How long to wait for a bridge that has never answered this client.
    package var connectTimeout: Duration = .seconds(3)
    /// How long to wait for an answer, a restart of the bridge included.
    package var answerTimeout: Duration = .seconds(15)
    /// When an unanswered request is sent again; the pause doubles each time.
    package var repeatInterval: Duration = .seconds(1)
    /// After how much silence the bridge counts as gone; it beats every second.
    package var heartbeatTimeout: Duration = .milliseconds(2_500)
    /// How often a watch asks for its jobs' states whatever it was told.
    package var refreshInterval: Duration = .seconds(5)
    /// How many requests may be under way at the same time.
    package var maximumRequests = 4_096

    /// The defaults above.
    package init() {}
}
