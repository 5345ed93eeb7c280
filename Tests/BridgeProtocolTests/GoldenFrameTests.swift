import BridgeProtocol
import Foundation
import SwiftProtobuf
import Testing

/// `ipc-schema/golden` as Swift sees it; Python sees the same in `Tests/InteropTests/Python`.
@Suite struct GoldenFrameTests {
    @Test(arguments: try GoldenFrame.all([.work, .control, .query, .feed, .newer]))
    func `a golden frame says what its JSON says, and is written again byte for byte`(
        frame: GoldenFrame
    ) throws {
        let json = try #require(frame.json)
        let bytes = try #require(frame.frames.last)
        func check<Body: Message & Equatable>(_ type: Body.Type) throws {
            let decoded = try Body(serializedBytes: bytes)
            #expect(try decoded.serializedBytes() as [UInt8] == bytes)
            let described = try Body(jsonUTF8Data: json)
            if frame.family == .newer {
                #expect(try decoded.jsonString() == described.jsonString())
            } else {
                #expect(decoded == described)
                #expect(try described.serializedBytes() as [UInt8] == bytes)
            }
        }
        try check(frame.type())
    }

    @Test(arguments: try GoldenFrame.all([.malformed]))
    func `a malformed frame is refused`(frame: GoldenFrame) throws {
        let bytes = try #require(frame.frames.last)
        func check<Body: Message & Equatable>(_ type: Body.Type) {
            #expect(throws: (any Error).self) { try Body(serializedBytes: bytes) }
        }
        try check(frame.type())
    }

    @Test func `every message that travels is among the golden frames`() throws {
        let found = Set(try GoldenFrame.all().map(\.message))
        #expect(found == Set(GoldenFrame.messages.map { $0.protoMessageName }))
    }

    @Test(arguments: try GoldenFrame.all([.work, .newer]))
    func `work is delivered under the worker's topic, with bytes of the bridge's behind it`(
        frame: GoldenFrame
    ) throws {
        guard frame.message == BusWorkerEvent.protoMessageName else {
            #expect(frame.frames.count == 1)
            return
        }
        try #require(frame.frames.count == 2)
        let reply = try #require(
            try GoldenFrame.all([.work]).first { $0.endpoint == "compute/replies" }?.frames.last
        )
        let hello = try BusWorkerReply(serializedBytes: reply)
        let worker = try #require(WorkerID([UInt8](hello.worker)))
        let topic = WorkTopic(worker).bytes
        #expect(frame.frames[0].count == topic.count + 9)
        #expect(frame.frames[0].starts(with: topic))
        #expect(frame.frames[0][topic.count] == 0)
    }

    @Test func `every endpoint with frames of its own is a socket of the bus`() throws {
        let paths = Set(BusEndpoint.allCases.map(\.path))
        for frame in try GoldenFrame.all() {
            #expect(paths.contains(frame.endpoint), "\(frame.name): \(frame.endpoint)")
        }
    }
}
