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
import Testing
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
    let path: String
    var journal: Journal
    var engine: Engine
    var pending: [Pending] = []
    var writes: [Write] = []
    /// msg_ids seen, for the replay window; what a crash forgets is read from the journal again.
    var seen: Set<Bytes32> = []
    var answers: [ClientTicket: ClientAnswer] = [:]
    var executions: [JobKey: Int] = [:]
    var crashes = 0
    let provider: ProviderSteps
    let requester: RequesterSteps

    init(
        name: String,
        secret: UInt8,
        directory: String,
        random: SeededGenerator,
        rules: ProviderRules,
        paymentRule: @escaping Engine.PaymentRule
    ) throws {
        self.name = name
        key = try #require(SecretKey([UInt8](repeating: secret, count: 32)))
        id = key.publicKey
        path = directory + "/\(name).journal"
        journal = try Journal(path: path, options: Self.options)
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

    static let options = Journal.Options(network: "regtest", durability: .normal, readers: 1)

    /// Ends the node as SIGKILL would, and starts it again from its journal.
    func crash(downtime: UInt64) async throws {
        crashes += 1
        pending = []
        writes = []
        answers = [:]
        try await journal.close()
        journal = try Journal(path: path, options: Self.options)
        engine = Engine(paymentRule: paymentRule)
        for job in try await journal.openJobs(limit: 10_000) {
            pending.append(.input(.restored(job, downtimeSeconds: downtime)))
        }
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
