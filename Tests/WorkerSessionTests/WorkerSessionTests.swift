import BridgeProtocol
import Foundation
import LCPTesting
import LightningTypes
import SwiftProtobuf
import Testing
import WorkerKit

@Suite struct WorkerSessionTests {
    @Test(arguments: SessionTable.states)
    func `every event in every state does what the table says`(state: String) throws {
        let expected = try #require(sessionTable[state])
        let rows = SessionTable.events.map { row in
            var session = SessionTable.session(state)
            let effects = session.handle(row.event).map { SessionTable.name($0) }
            let done = effects.isEmpty ? "nothing" : effects.joined(separator: ", ")
            return "\(row.name): \(done) -> \(SessionTable.name(session))"
        }
        #expect(rows.joined(separator: "\n") == expected)
    }

    @Test func `progress goes out at most once in the interval the bridge asked for`() {
        var session = SessionTable.session("busy")
        let lease = SessionTable.id(1)
        let sent = [0, 1, 9, 10, 11, 19, 20, 21].filter { second in
            !session.handle(.touched(lease: lease, at: SessionTable.start + .seconds(second)))
                .isEmpty
        }
        #expect(sent == [0, 10, 20])
    }

    @Test func `an item beyond the capacity is left to its lease`() {
        var session = SessionTable.session("busy")
        let names = [2, 3].map { lease in
            session.handle(.received(.job(SessionTable.job(lease)))).map { SessionTable.name($0) }
        }
        #expect(names == [["begin L2"], ["over capacity"]])
    }

    @Test func `handlers are told the node and the network once the bridge knows them`() {
        var session = SessionTable.session("idle")
        #expect(session.membership?.context == WorkerContext(nodeID: nil, network: ""))
        var welcome = SessionTable.welcome(nonce: 1)
        let key = [2] + [UInt8](repeating: 5, count: 32)
        welcome.nodeID = Data(key)
        welcome.network = "regtest"
        _ = session.handle(.received(.welcome(welcome)))
        let context = WorkerContext(nodeID: NodeID(key), network: "regtest")
        #expect(session.membership?.context == context)
    }

    @Test func `the Hello says what the worker can do, under the id of its topic`() throws {
        let worker = WorkerID.random()
        let hello = BusHello.with {
            $0.program = "lcp-provider 0.1.0"
            $0.capacity = 7
            $0.dialects = ["0.1"]
        }
        var session = WorkerSession(worker: worker, role: .provider, hello: hello)
        let effects = session.handle(.received(.welcome(SessionTable.welcome(nonce: 3))))
        let expected = BusWorkerReply.with {
            $0.worker = Data(worker.bytes)
            $0.nonce = SessionTable.id(3)
            $0.hello = hello
        }
        #expect(effects == [.note(.joined(epochChanged: false)), .send(expected)])
    }

    @Test func `no order of events sends a reply for a lease that is not held`() {
        var sent = 0
        for seed in UInt64(0)..<300 {
            var random = SeededGenerator(seed: seed)
            var session = SessionTable.session("awaiting")
            var held: Set<Data> = []
            for _ in 0..<60 {
                let (_, event) =
                    SessionTable.events.randomElement(using: &random)
                    ?? SessionTable.events[0]
                for effect in session.handle(event) {
                    switch effect {
                    case .begin(let item): held.insert(item.lease)
                    case .stop(let lease, _): #expect(held.remove(lease) != nil, "seed \(seed)")
                    case .send(let reply):
                        guard case .job(let job) = reply.body else { continue }
                        sent += 1
                        #expect(held.remove(job.lease) != nil, "seed \(seed)")
                    case .dropUnsent, .note: break
                    case .end: #expect(held.isEmpty, "seed \(seed)")
                    }
                }
            }
        }
        #expect(sent > 0, "no seed came to a reply, so the test proved nothing")
    }
}
