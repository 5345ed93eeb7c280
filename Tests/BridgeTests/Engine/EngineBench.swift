import Bridge
import BridgeProtocol
import Foundation
import Journal
import LightningCrypto
import LightningTypes
import SwiftProtobuf
import Testing

/// An engine over a real journal, whose every other counterpart is the test.
final class EngineBench {
    let seller: NodeID
    let key: JobKey
    let hash = PaymentHash(Bytes32.zero)
    var now = UnixTime(seconds: 1_800_000_000)
    private(set) var engine: Engine
    private let journal: Journal
    private let folder: String

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
        engine = Engine { pay, _, _, now in
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

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Tells the engine something.
    ///
    /// - Returns: What it wants done.
    func tell(_ input: EngineInput) -> [EngineOutput] {
        engine.handle(input, at: now)
        return engine.takeOutputs()
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

    /// Submits a job, which is committed.
    func submit() async -> [EngineOutput] {
        let submit = BusSubmit.with {
            $0.key = Data([1])
            $0.peer = Data(seller.bytes)
            $0.taskKind = "llm.chat"
            $0.input = Data("hello".utf8)
        }
        let client = ClientKey(identity: [1], key: [1], contentHash: .zero)
        return await write(tell(.submit(ClientTicket(1), key, client, submit)))
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

extension [EngineOutput] {
    /// The step that a worker is to make.
    var step: (order: UInt64, item: BusJobItem)? {
        for case .order(let order, _, let item) in self { return (order, item) }
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

    /// The messages that are to be sent.
    var sends: [UInt64] {
        compactMap { if case .send(_, let effect, _, _) = $0 { effect } else { nil } }
    }
}
