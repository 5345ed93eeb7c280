import BridgeProtocol
import LCPCore
import LCPWire
import LightningTypes

/// A job as a worker knows it during a step; between steps it is the journal's state bytes.
struct JobRecord<Job: StoredJob>: Equatable, Sendable {
    /// The state machine.
    var job: Job
    /// What is bought or sold; nil until a request was taken.
    var task: TaskFacts?
    /// What is outstanding.
    var effects: EffectBook<Job.Effect>
    /// What anybody may see.
    var view: BusJobView

    /// A job nothing has happened to.
    init(new job: Job) {
        self.job = job
        effects = EffectBook()
        view = BusJobView()
        view.stage = .quoting
    }

    init(job: Job, task: TaskFacts?, effects: EffectBook<Job.Effect>, view: BusJobView) {
        self.job = job
        self.task = task
        self.effects = effects
        self.view = view
    }
}

/// A state machine that JobRecord can hold and the state bytes can carry.
protocol StoredJob: Equatable, Sendable {
    associatedtype State: Equatable & Sendable
    associatedtype Effect: Equatable & Sendable

    var peer: NodeID { get }
    var jobID: JobID { get }
    var state: State { get }
    var outstanding: [Effect] { get }

    init(peer: NodeID, jobID: JobID)
    init(peer: NodeID, jobID: JobID, state: State, outstanding: [Effect])

    /// Reads the role's part of the state bytes.
    static func restore(
        from message: StateJob
    ) throws(StepError) -> (state: State, outstanding: [EffectBook<Effect>.Entry])

    /// Writes the role's part of the state bytes.
    static func store(
        _ state: State,
        _ outstanding: [EffectBook<Effect>.Entry]
    ) -> StateJob.OneOf_Job
}

/// A request without its input.
struct TaskFacts: Equatable, Sendable {
    /// The kind of task.
    var kind: String
    /// For `llm.chat` the profile, else empty.
    var profile: String
    /// The raw params; nil when the request has none.
    var params: [UInt8]?
    /// The length of the input, which is stored.
    var inputBytes: UInt64
}

extension TaskFacts {
    /// Describes a request.
    init(_ request: V01.QuoteRequest) {
        self.init(
            kind: request.taskKind,
            profile: request.chatParams?.profile ?? "",
            params: request.params,
            inputBytes: UInt64(request.input.count)
        )
    }
}
