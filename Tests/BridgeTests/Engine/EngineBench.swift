import Bridge
import BridgeProtocol
import Foundation
import Journal
import LightningCrypto
import LightningTypes
import SwiftProtobuf
import Synchronization
import Testing

/// An engine over a real journal, whose every other counterpart is the test.
final class EngineBench {
    let seller: NodeID
    let key: JobKey
    let hash = PaymentHash(Bytes32.zero)
    var now = UnixTime(seconds: 1_800_000_000)
    private(set) var engine: Engine
    private var lastSend: UInt64 = 0
    private let journal: Journal
    private let folder: String
    private let asked = Ceilings()

    /// The ceilings that payments were decided with, in order.
    var ceilings: [MilliSatoshi?] { asked.all.withLock { $0 } }

    init() throws {
        folder = "\(FileManager.default.temporaryDirectory.path)/engine-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        journal = try Journal(
            path: folder + "/journal",
            options: Journal.Options(network: "regtest", durability: .normal)
        )
        seller = try #require(SecretKey([UInt8](repeating: 5, count: 32))).publicKey
        key = JobKey(
            role: .requester,
            peer: seller,
            id: try #require(Bytes32([UInt8](repeating: 9, count: 32)))
        )
        engine = Self.engine(asked)
    }

    private static func engine(_ asked: Ceilings) -> Engine {
        Engine { pay, _, ceiling, now in
            asked.all.withLock { $0.append(ceiling) }
            let intent = PaymentIntent(
                hash: PaymentHash(Bytes32(pay.paymentHash) ?? .zero),
                amount: MilliSatoshi(msat: 1_000),
                maxFee: .zero,
                notAfter: now.advanced(bySeconds: 60),
                profile: "",
                instruction: Redacted([])
            )
            return .success(PaymentDecision(intent: intent) { _ in nil })
        }
    }

    /// Forgets everything but the journal.
    func restart() { engine = Self.engine(asked) }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Tells the engine something.
    ///
    /// - Returns: What it wants done.
    func tell(_ input: EngineInput) -> [EngineOutput] {
        engine.handle(input, at: now)
        let outputs = engine.takeOutputs()
        lastSend = outputs.sends.last ?? lastSend
        return outputs
    }

    /// Tells the engine what became of the last message it wanted sent.
    ///
    /// - Returns: What it wants done.
    func tell(sent result: SendResult) -> [EngineOutput] {
        tell(.sent(key, order: lastSend, result))
    }

    /// Makes the writes among some outputs, and tells the engine; some fail.
    ///
    /// - Returns: The other outputs, and what the engine wants next, all writes made.
    func write(
        _ outputs: [EngineOutput],
        failing failure: (EngineOutput) -> JournalError? = { _ in nil }
    ) async -> [EngineOutput] {
        var (left, rest) = (outputs[...], [EngineOutput]())
        while let output = left.popFirst() {
            switch output {
            case .commit(let step):
                var result: Result<Committed, JournalError>
                do throws(JournalError) {
                    if let error = failure(output) { throw error }
                    result = .success(try await journal.commit(step))
                } catch {
                    result = .failure(error)
                }
                left += tell(.committed(step.job, version: step.version + 1, result))
            case .record(let facts, let key, let purpose):
                var result: Result<Void, JournalError>
                do throws(JournalError) {
                    if let error = failure(output) { throw error }
                    result = .success(try await journal.record(facts, for: key, at: now))
                } catch {
                    result = .failure(error)
                }
                left += tell(.recorded(key, purpose, result))
            case .load(let key):
                do throws(JournalError) {
                    left += tell(.loaded(key, try await journal.job(key)))
                } catch {
                    Issue.record("the job can't be read: \(error)")
                }
            default: rest.append(output)
            }
        }
        return rest
    }

    /// The client's word as the journal has it.
    func ceilingOnDisk() async throws -> MilliSatoshi? {
        try await journal.job(key)?.summary.ceiling
    }

    /// Submits a job, which is committed.
    func submit(_ id: Bytes32? = nil, number: UInt8 = 1) async -> [EngineOutput] {
        let key = JobKey(role: .requester, peer: seller, id: id ?? self.key.id)
        let submit = BusSubmit.with {
            $0.key = Data([number])
            $0.peer = Data(seller.bytes)
            $0.taskKind = "llm.chat"
            $0.input = Data("hello".utf8)
        }
        let client = ClientKey(identity: [1], key: [number], contentHash: .zero)
        return await write(tell(.submit(ClientTicket(UInt64(number)), key, client, submit)))
    }

    /// Answers the step that is asked for, as a worker would.
    func step(
        _ outputs: [EngineOutput],
        to stage: BusJobStage,
        _ effects: [BusEffect] = []
    ) throws -> [EngineOutput] {
        let (order, item) = try #require(outputs.step)
        return tell(
            .stepped(
                order: order,
                .with {
                    $0.version = item.version
                    $0.state = Data([1])
                    $0.effects = effects
                    $0.view.stage = stage
                }
            )
        )
    }

    /// A job that is being paid, as far as the disk and the payments' desk know.
    func pay() async throws -> BusEffect {
        let pay = BusEffect.with { effect in
            effect.id = 1
            effect.body = .pay(.with { $0.paymentHash = Data(hash.bytes.bytes) })
        }
        let outputs = await write(try step(await submit(), to: .paying, [pay]))
        #expect(outputs.contains { if case .pay = $0 { true } else { false } })
        return pay
    }
}

/// With which ceilings the payment rule was asked.
private final class Ceilings: Sendable {
    let all = Mutex<[MilliSatoshi?]>([])
}

extension [EngineOutput] {
    /// The step that a worker is to make: the last one, as those before were taken back.
    var step: (order: UInt64, item: BusJobItem)? {
        for case .order(let order, _, let item) in reversed() { return (order, item) }
        return nil
    }

    /// What observers are told.
    var changes: [BusJob] {
        compactMap { if case .changed(let job) = $0 { job } else { nil } }
    }

    /// What clients are answered.
    var answers: [BusJob] {
        compactMap { if case .answer(_, .job(let job)) = $0 { job } else { nil } }
    }

    /// The orders to send messages.
    var sends: [UInt64] {
        compactMap { if case .send(_, let order, _, _) = $0 { order } else { nil } }
    }
}
