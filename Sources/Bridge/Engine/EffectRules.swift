import BridgeProtocol
import Journal

/// What the bridge knows of an effect before it carries it out.
///
/// A new effect does not compile until somebody has said who may ask for it and what it waits for.
enum EffectRules {
    /// What an effect waits for.
    enum Timing {
        /// Nothing: doing it and forgetting it does no harm.
        case atOnce
        /// The steps before the one that asked for it must be on disk.
        case afterEarlierSteps
        /// The step that asked for it must be on disk.
        case afterCommit
    }

    /// Whether workers of a role may ask for an effect; asked before anything else.
    static func mayAsk(_ effect: BusEffect.OneOf_Body, for role: JobKey.Role) -> Bool {
        switch (effect, role) {
        // LCP v0.1 §3.2 [message-direction]
        case (.send(let message), .provider): [42_085, 42_087, 42_097].contains(message.type)
        case (.send(let message), .requester): [42_083, 42_095].contains(message.type)
        case (.createInvoice, .provider), (.cancelInvoice, .provider), (.startCompute, .provider),
            (.cancelCompute, .provider):
            true
        case (.createInvoice, .requester), (.cancelInvoice, .requester),
            (.startCompute, .requester), (.cancelCompute, .requester):
            false
        case (.pay, .requester), (.withdrawPayment, .requester): true
        case (.pay, .provider), (.withdrawPayment, .provider): false
        case (.finish, .provider), (.finish, .requester): true
        }
    }

    /// What an effect waits for.
    static func timing(_ effect: BusEffect.OneOf_Body) -> Timing {
        switch effect {
        // A request that was forgotten is asked again, under the same job_id or a new one.
        case .send(let message) where message.type == 42_083: .atOnce
        // The first of its kind may be in a step that is still being written: a quote that went out
        // by its repetition, and was forgotten, would be paid for nothing.
        case .send(let message): message.again ? .afterEarlierSteps : .afterCommit
        // One that was never sent can't be paid.
        case .createInvoice: .atOnce
        case .cancelInvoice: .afterCommit
        case .pay, .withdrawPayment: .afterCommit
        // Only for an invoice that was seen settled.
        case .startCompute, .cancelCompute: .atOnce
        case .finish: .afterCommit
        }
    }

    /// A small number for the journal, which doesn't read effects.
    static func kind(_ effect: BusEffect.OneOf_Body) -> UInt8 {
        switch effect {
        case .send: 2
        case .createInvoice: 3
        case .cancelInvoice: 4
        case .pay: 5
        case .withdrawPayment: 6
        case .startCompute: 7
        case .cancelCompute: 8
        case .finish: 9
        }
    }

    /// Ids from here on are the bridge's own; workers use those below.
    static let firstOwnID: UInt64 = 1 << 63
}
