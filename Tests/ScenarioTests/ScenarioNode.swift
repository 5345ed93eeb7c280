import BOLT11
import Bridge
import BridgeProtocol
import Foundation
import Journal
import LCPCore
import LCPTesting
import LCPWire
import LightningCrypto
import LightningTypes
import Synchronization
import WorkerKit

/// One node of a scenario: the real engine and journal, and the real steps of our workers.
///
/// Bus, session, lnd and time are the scenario's, which may lose, repeat and reorder what is on its
/// way and end the node at any point.
final class ScenarioNode {
    /// Something that is on its way inside the node and dies with it.
    enum Pending {
        case input(EngineInput)
        case work(UInt64, BusJobItem)
        case compute(UInt64, BusComputeItem, [UInt8]?)
        case load(JobKey)
    }

    /// A write in the order the engine made it.
    enum Write {
        case step(Step)
        case record([Fact], JobKey, RecordPurpose)
    }

    let name: String
    let key: SecretKey
    let id: NodeID
    private let store: MemoryStore
    var journal: Journal
    var engine: Engine
    var pending: [Pending] = []
    var writes: [Write] = []
    /// msg_ids seen, for the replay window; what a crash forgets is read from the journal again.
    var seen: Set<Bytes32> = []
    var answers: [ClientTicket: ClientAnswer] = [:]
    var executions: [JobKey: Int] = [:]
    /// Each job's newest version on disk, and what its client sees there.
    private(set) var durable: [JobKey: (version: UInt64, notice: [UInt8])] = [:]
    /// When each open job is due, by what is on disk.
    private(set) var times: [JobKey: (wake: UnixTime?, answer: UnixTime?)] = [:]
    let provider: ProviderSteps
    let requester: RequesterSteps

    init(
        name: String,
        secret: UInt8,
        store: MemoryStore,
        random: SeededGenerator,
        rules: ProviderRules,
        paymentRule: @escaping Engine.PaymentRule
    ) throws {
        self.name = name
        key = try need(SecretKey([UInt8](repeating: secret, count: 32)), "secret key")
        id = key.publicKey
        self.store = store
        journal = try store.open()
        engine = Engine(paymentRule: paymentRule)
        let source = RandomSource(random)
        provider = ProviderSteps(rules: rules, identifiers: IdentifierSource { source.draw() })
        requester = RequesterSteps(
            rules: RequesterRules(network: .regtest),
            identifiers: IdentifierSource { source.draw() }
        )
        self.paymentRule = paymentRule
    }

    private let paymentRule: Engine.PaymentRule

    /// Ends the node as SIGKILL would, and starts it again from its journal.
    func crash(downtime: UInt64) async throws {
        pending = []
        writes = []
        answers = [:]
        // What was written is in the store; every write had ended.
        journal = try store.open()
        engine = Engine(paymentRule: paymentRule)
        for job in try await journal.openJobs(limit: 10_000) {
            pending.append(.input(.restored(job, downtimeSeconds: downtime)))
        }
    }

    /// A step is on disk.
    func noteCommit(of step: Step) {
        let notice = step.notice?.body ?? durable[step.job]?.notice ?? []
        durable[step.job] = (step.version + 1, notice)
        times[step.job] = (step.wakeAt, step.answerBy)
    }

    /// Facts are on disk.
    func noteRecord(of facts: [Fact], for key: JobKey) {
        for case .finished in facts { times[key] = nil }
    }
}

/// The one source of identifiers of a node's workers, repeatable under a seed.
final class RandomSource: Sendable {
    private let random: Mutex<SeededGenerator>

    init(_ random: SeededGenerator) { self.random = Mutex(random) }

    func draw() -> Bytes32 {
        random.withLock { Bytes32($0.bytes(32)) ?? .zero }
    }
}
