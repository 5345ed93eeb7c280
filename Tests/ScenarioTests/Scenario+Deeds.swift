import Bridge
import BridgeProtocol
import Foundation
import Journal
import LCPTesting
import LightningTypes
import SwiftProtobuf
import Testing
import WorkerKit

// What a node does: its inputs, its workers, its writes, and what the engine asks for.
extension Scenario {
    func perform(_ pending: ScenarioNode.Pending, _ node: ScenarioNode) async throws {
        switch pending {
        case .input(let input): try await feed(input, node)
        case .load(let key): try await feed(.loaded(key, try await node.journal.job(key)), node)
        case .work(let order, var item):
            if happens(faults.workerDeath) {
                // Handed on to another worker.
                trace.note("worker death")
                return node.pending.append(.work(order, item))
            }
            item.nowUnix = now.seconds
            item.attempt = 1
            let key = try need(JobKey(item.job), "key of a work item")
            item.peer = .with {
                $0.connected = true
                $0.hasChannel_p = true
                $0.maxPayloadBytes = 16_384
                $0.openJobs = node.engine.activeJobs(besides: key)
                $0.requestsLastMinute = 1
            }
            let context = WorkerContext(nodeID: node.id, network: "regtest")
            let reply =
                item.job.role == .provider
                ? try node.provider.step(item, in: context)
                : try node.requester.step(item, in: context)
            trace.note("step", node.name, "\(reply.version)", "\(reply.view.stage.rawValue)")
            try await feed(.stepped(order: order, reply), node)
        case .compute(let order, let item, let input):
            let key = try need(JobKey(item.job), "key of a computation")
            if happens(faults.workerDeath) {
                trace.note("worker death")
                return node.pending.append(.compute(order, item, input))
            }
            try await compute(order, key, input, node)
        }
    }

    private func compute(
        _ order: UInt64,
        _ key: JobKey,
        _ input: [UInt8]?,
        _ node: ScenarioNode
    ) async throws {
        let invoices = try await need(node.journal.job(key), "job that is computed").invoices
        let isPaid = invoices.keys.contains { lightning.invoices[$0]?.state == .settled }
        if !isPaid { violations.append("a computation ran before its invoice was settled") }
        var bytes = input
        if bytes == nil {
            bytes = try await node.journal.input(of: key)?.reveal("the test computes")
        }
        let prompt = try need(bytes, "prompt of a paid job")
        node.executions[key, default: 0] += 1
        trace.note("execution")
        let reply = BusComputeReply.with { reply in
            reply.result = .with {
                $0.output = Data("echo: ".utf8) + Data(prompt)
                $0.contentType = "text/plain; charset=utf-8"
            }
        }
        try await feed(.computed(order: order, reply), node)
    }

    // MARK: - The journal

    func write(_ write: ScenarioNode.Write, _ node: ScenarioNode) async throws {
        let isFull = happens(faults.fullDisk)
        if isFull { trace.note("full disk") }
        let full = JournalError(.diskFull, "the scenario's disk is full")
        switch write {
        case .step(let step):
            let result: Result<Committed, JournalError>
            do throws(JournalError) {
                if isFull { throw full }
                result = .success(try await node.journal.commit(step))
                node.noteCommit(of: step)
            } catch {
                result = .failure(error)
            }
            node.pending.append(
                .input(.committed(step.job, version: step.version + 1, result))
            )
        case .record(let facts, let key, let purpose):
            let result: Result<Void, JournalError>
            do throws(JournalError) {
                if isFull { throw full }
                result = .success(try await node.journal.record(facts, for: key, at: now))
                node.noteRecord(of: facts, for: key)
            } catch {
                result = .failure(error)
            }
            node.pending.append(.input(.recorded(key, purpose, result)))
        }
    }

    /// What a client is told must be what it finds when it looks.
    private func expectDurable(_ told: BusJob, _ node: ScenarioNode) throws {
        let key = try need(JobKey(told.key), "key of a job that was told of")
        guard let (version, notice) = node.durable[key], version >= told.version else {
            return violations.append("told of a step that is not on disk")
        }
        if version == told.version, try BusJobView(serializedBytes: notice) != told.view {
            violations.append("told of another view than the one on disk")
        }
    }

    // MARK: - The engine

    func feed(_ input: EngineInput, _ node: ScenarioNode) async throws {
        node.engine.handle(input, at: now)
        for output in node.engine.takeOutputs() { try await carryOut(output, node) }
    }

    private func carryOut(_ output: EngineOutput, _ node: ScenarioNode) async throws {
        switch output {
        case .load(let key): node.pending.append(.load(key))
        case .commit(let step): node.writes.append(.step(step))
        case .record(let facts, let key, let purpose):
            node.writes.append(.record(facts, key, purpose))
        case .order(let id, _, let item): node.pending.append(.work(id, item))
        case .compute(let id, _, let item, let input):
            node.pending.append(.compute(id, item, input))
        case .withdraw(let id, _, _):
            node.pending.removeAll { pending in
                switch pending {
                case .work(let order, _), .compute(let order, _, _): order == id
                case .input, .load: false
                }
            }
        case .send(let key, let order, let message, let contents):
            try await send(key, order, message, contents, node)
        case .createInvoice(let key, let effect, let order):
            try createInvoice(key, effect, order, node)
        case .cancelInvoice(let key, _, let hash): lookUp(lightning.cancel(hash), hash, key, node)
        case .lookUpInvoices: try await lookUpInvoices(node)
        case .pay(let key, let hash): try await pay(hash, key, node)
        case .withdrawPayment(let key, let hash): try await withdraw(hash, key, node)
        case .answer(let ticket, let answer):
            node.answers[ticket] = answer
            guard case .job(let job) = answer, let key = JobKey(job.key) else { break }
            acknowledged.insert(key)
            try expectDurable(job, node)
        case .changed(let job): try expectDurable(job, node)
        case .refuse, .forget, .paid: break
        case .complain(let key, let rule): Issue.record("\(key) broke \(rule)")
        case .fatal(let error): throw error
        }
    }
}
