/// What a room counts, by the names that `status` shows behind the role.
enum DispatchCounter: String, Sendable, CaseIterable {
    /// Messages that are no WorkerReply, have a field of the wrong length, or an unknown body.
    case repliesMalformed = "replies_malformed"
    /// Replies above ``DispatchSettings/maximumReplyBytes``.
    case repliesTooLarge = "replies_too_large"
    /// Replies whose worker or nonce is not of a live session.
    case noncesStale = "nonces_stale"
    /// Replies for an item the worker does not hold (any more).
    case leasesStale = "leases_stale"
    /// Workers refused because another live process has their id.
    case duplicatesRefused = "duplicates_refused"
    /// Workers refused because their Hello exceeds a bound.
    case hellosRefused = "hellos_refused"
    /// Sessions that began.
    case workersJoined = "workers_joined"
    /// Sessions that ended without Goodbye.
    case workersLost = "workers_lost"
    /// Sessions that ended after Goodbye.
    case workersDrained = "workers_drained"
    /// Workers whose items were taken away because they did not answer.
    case workersEvicted = "workers_evicted"
    /// Items taken from a worker that had started them: crash, failure or lapse.
    case attemptsFailed = "attempts_failed"
    /// Items whose lease lapsed.
    case leasesLapsed = "leases_lapsed"
    /// Items handed on that their worker had not started.
    case itemsHandedOn = "items_handed_on"
    /// Items given up after the last attempt.
    case itemsGivenUp = "items_given_up"
    /// Items that were answered.
    case itemsDone = "items_done"
}
