import CrashPoints

/// Where a crash of a worker could come between two things that belong together.
package enum WorkerCrashPoint: String, CrashPoints {
    /// The bridge has made it a member.
    case afterWelcome = "after-welcome"
    /// An item has arrived and no handler has it.
    case afterItem = "after-item"
    /// A handler has an item.
    case beforeWork = "before-work"
    /// A handler is done, and nobody has heard of it.
    case afterWork = "after-work"
    /// Replies are about to be sent.
    case beforeReply = "before-reply"
    /// The socket has them.
    case afterReply = "after-reply"
    /// A program of the operator's runs.
    case duringProgram = "during-program"
    /// It has ended.
    case afterProgram = "after-program"
}
