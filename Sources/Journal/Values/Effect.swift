package import LightningTypes

/// Something a worker wants done for a job; opaque to the journal.
package struct Effect: Hashable, Sendable {
    /// Unique within the job for ever: the same id is the same effect, and what was done stays
    /// done.
    package var id: UInt64
    /// What kind of effect, for those who can read the body.
    package var kind: UInt8
    /// The effect itself.
    package var body: [UInt8]

    /// Takes the three parts.
    package init(id: UInt64, kind: UInt8, body: [UInt8]) {
        self.id = id
        self.kind = kind
        self.body = body
    }
}

/// An effect that is still to do, and how far it got.
package struct OutstandingEffect: Hashable, Sendable {
    /// The effect as the worker gave it.
    package var effect: Effect
    /// How many attempts were recorded.
    package var attempts: UInt32
    /// Not to be tried again before this; nil for at once.
    package var nextAttempt: UnixTime?

    /// Takes an effect and how far it got.
    package init(effect: Effect, attempts: UInt32 = 0, nextAttempt: UnixTime? = nil) {
        self.effect = effect
        self.attempts = attempts
        self.nextAttempt = nextAttempt
    }
}

/// Something that happened to a job and waits for a step that answers it; opaque to the journal.
package struct PendingEvent: Hashable, Sendable {
    /// Its place among the job's events: starts at 1, grows by 1.
    package var sequence: UInt64
    /// What kind of event, for those who can read the body.
    package var kind: UInt8
    /// When it was recorded.
    package var at: UnixTime
    /// The event itself.
    package var body: [UInt8]

    /// Takes the parts.
    package init(sequence: UInt64, kind: UInt8, at: UnixTime, body: [UInt8]) {
        self.sequence = sequence
        self.kind = kind
        self.at = at
        self.body = body
    }
}
