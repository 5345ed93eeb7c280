import Foundation
import LCPCore
import LightningCrypto
import LightningTypes
import SwiftProtobuf
import Testing

@testable import WorkerKit

/// `ipc-schema/golden/state.json`: state bytes that any version and any language must read alike.
@Suite struct GoldenStateTests {
    struct Golden: Sendable, CustomTestStringConvertible {
        var name: String
        var bytes: Data
        /// The state in protobuf's JSON.
        var json: Data

        var testDescription: String { name }

        static func all() throws -> [Golden] {
            let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
                path: "../../ipc-schema/golden/state.json"
            )
            let document = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
            let entries = (document as? [String: Any])?["frames"] as? [[String: Any]]
            return try #require(entries).map { entry in
                try #require(entry["message"] as? String == StateJob.protoMessageName)
                let frames = try #require(entry["frames_hex"] as? [String])
                try #require(frames.count == 1)
                return Golden(
                    name: try #require(entry["name"] as? String),
                    bytes: Data(try #require(Hex.decode(frames[0]))),
                    json: try JSONSerialization.data(withJSONObject: #require(entry["json"]))
                )
            }
        }
    }

    @Test(arguments: try Golden.all())
    func `a golden state says what its JSON says, and is written again byte for byte`(
        golden: Golden
    ) throws {
        let decoded = try StateJob(serializedBytes: golden.bytes)
        #expect(decoded == (try StateJob(jsonUTF8Data: golden.json)))
        #expect(try decoded.serializedData() == golden.bytes)
    }

    @Test(arguments: try Golden.all())
    func `a worker reads a golden state and writes the same bytes again`(golden: Golden) throws {
        let peer = try Sample.providerKey().publicKey
        func check<Job: StoredJob>(_ type: Job.Type) throws {
            let record = try JobRecord<Job>(
                decoding: golden.bytes,
                peer: peer,
                jobID: Sample.id(9)
            )
            #expect(try record.encoded() == golden.bytes)
        }
        switch try #require(try StateJob(serializedBytes: golden.bytes).job) {
        case .provider: try check(ProviderJob.self)
        case .requester: try check(RequesterJob.self)
        }
    }

    @Test func `both roles are among the golden states`() throws {
        let jobs = try Golden.all().map { try StateJob(serializedBytes: $0.bytes).job }
        #expect(jobs.count { if case .provider = $0 { true } else { false } } > 10)
        #expect(jobs.count { if case .requester = $0 { true } else { false } } > 15)
    }
}
