import Foundation
import LCPInspector
import LCPTesting
import LCPWire
import LightningTypes
import Testing

/// A case of `lcp-v0.1/{messages,malformed,session,encode_reject}.json`.
private struct MessageCase: Decodable {
    var name: String
    var message: String
    var messageType: UInt16?
    var payloadHex: String?
    var fields: MessageFields?
    var accept: Bool?
    var reject: String?

    enum CodingKeys: String, CodingKey {
        case name, message, fields, accept, reject
        case messageType = "message_type"
        case payloadHex = "payload_hex"
    }

    static func all(of file: String) throws -> [MessageCase] {
        struct File: Decodable { var cases: [MessageCase] }
        return try JSONDecoder().decode(
            File.self,
            from: Fixture.data(named: "lcp-v0.1/\(file).json")
        ).cases
    }

    func type() throws -> V01.MessageType {
        let named = V01.MessageType.allCases.first { $0.wireName == "lcp_\(message)" }
        let type = try #require(named)
        #expect(messageType == nil || messageType == type.rawValue)
        return type
    }

    func payload() throws -> [UInt8] { try #require(payloadHex.flatMap { Hex.decode($0) }) }
}

@Suite struct MessageVectorTests {
    // LCP v0.1 §3.2 [message-numbers]
    // LCP v0.1 §5.6 [error-codes-open]
    @Test(arguments: ["messages", "session"])
    func `every message encodes to its payload and decodes to its fields`(file: String) throws {
        let cases = try MessageCase.all(of: file)
        #expect(cases.count >= 13)
        for vector in cases {
            let type = try vector.type()
            let payload = try vector.payload()
            let message = try #require(vector.fields).message(type)
            #expect(message.type == type, "\(vector.name)")
            #expect(try message.encoded() == payload, "\(vector.name)")
            #expect(try V01.Message(decoding: payload, as: type) == message, "\(vector.name)")
        }
    }

    // LCP v0.1 §2 [unknown-records-ignored] [text-is-utf8] [record-limit]
    // LCP v0.1 §4.1 [version-required] [job-id-required] [msg-id-required] [expiry-required]
    // LCP v0.1 §4.1 [manifest-is-connection-scope]
    // LCP v0.1 §5.1 [template-task-kind] [template-chat-params]
    // LCP v0.1 §5.2 [request-records]
    // LCP v0.1 §5.2.1 [chat-params-required] [chat-profile-required] [chat-input-is-utf8]
    // LCP v0.1 §5.3 [response-records]
    // LCP v0.1 §5.4 [result-record]
    // LCP v0.1 §5.5 [cancel-records]
    // LCP v0.1 §5.6 [error-code-required]
    // BOLT #1 [tlv-value-exact]
    @Test func `every payload at the edge of the format is taken or refused as it says`() throws {
        var refused = 0
        for vector in try MessageCase.all(of: "malformed") {
            let type = try vector.type()
            let payload = try vector.payload()
            do throws(WireError) {
                let message = try V01.Message(decoding: payload, as: type)
                #expect(vector.accept == true, "\(vector.name) must be refused")
                let expected = try? vector.fields?.message(type)
                #expect(normalized(message) == expected, "\(vector.name)")
            } catch {
                #expect(error.code == vector.reject, "\(vector.name): \(error)")
                #expect(error.message == type.wireName)
                refused += 1
            }
        }
        #expect(refused >= 330)
    }

    // LCP v0.1 §2 [version-zero-unsent]
    @Test func `every value the encoder must refuse is refused for its reason`() throws {
        let cases = try MessageCase.all(of: "encode_reject")
        #expect(cases.count >= 14)
        for vector in cases {
            do {
                _ = try vector.fields?.message(try vector.type()).encoded()
                Issue.record("\(vector.name) was written")
            } catch let error as WireError {
                #expect(error.code == vector.reject, "\(vector.name)")
            } catch let error as InspectionError {
                #expect(error.code == vector.reject, "\(vector.name)")
            }
        }
    }

    /// JSON shows an absent and an empty `supported_tasks` alike.
    private func normalized(_ message: V01.Message) -> V01.Message {
        guard case .manifest(var manifest) = message, manifest.supportedTasks == [] else {
            return message
        }
        manifest.supportedTasks = nil
        return .manifest(manifest)
    }
}

@Suite struct MessageJSONTests {
    @Test func `the JSON of a decoded message is that of the vectors`() throws {
        struct File: Decodable { var cases: [Case] }
        struct Case: Decodable { var name: String }
        let data = try Fixture.data(named: "lcp-v0.1/messages.json")
        let file = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let cases = try #require(file["cases"] as? [[String: Any]])
        for (vector, raw) in zip(try MessageCase.all(of: "messages"), cases) {
            let message = try V01.Message(decoding: vector.payload(), as: vector.type())
            let printed = try JSONSerialization.jsonObject(with: Data("\(JSONText(message))".utf8))
            let fields = try #require(raw["fields"] as? NSDictionary)
            #expect((printed as? NSDictionary) == fields, "\(vector.name)")
        }
    }
}

@Suite struct ReferenceVectorTests {
    private struct Vectors: Decodable {
        var messages: [Case]
        var messagesTolerated: [Case]
        var messagesInvalid: [Case]
        var llmChatParams: [Params]
        var llmChatParamsInvalid: [Params]
        var llmChatParamsUnknownTypes: [Params]
        var termsHash: [Terms]
    }

    private struct Case: Decodable {
        var name: String
        var type: UInt16
        var payload: String
        var payloadLen: Int?
    }

    private struct Params: Decodable {
        var bytes: String
        var profile: String?
        var temperatureMilli: UInt32?
        var maxOutputTokens: UInt32?
        var error: String?
        var unknown: [String: String]?
    }

    private struct Terms: Decodable {
        var name: String
        var protocolVersion: UInt16
        var jobId: String
        var priceMsat: UInt64
        var quoteExpiry: UInt64
        var taskKind: String
        var inputUtf8: String
        var params: String?
        var termsTlv: String
        var termsHash: String
    }

    private func vectors() throws -> Vectors {
        try Fixture.decode(Vectors.self, named: "lcp.json")
    }

    @Test func `every message decodes, and encodes back unless it had unknown records`() throws {
        let vectors = try vectors()
        for vector in vectors.messages {
            let payload = try #require(Hex.decode(vector.payload))
            #expect(vector.payloadLen == payload.count)
            let type = try #require(V01.MessageType(rawValue: vector.type))
            let message = try V01.Message(decoding: payload, as: type)
            #expect(message.type == type, "\(vector.name)")
            #expect(try message.encoded() == payload, "\(vector.name)")
        }
        for vector in vectors.messagesTolerated {
            let payload = try #require(Hex.decode(vector.payload))
            let type = try #require(V01.MessageType(rawValue: vector.type))
            let message = try V01.Message(decoding: payload, as: type)
            #expect(try message.encoded().count < payload.count, "\(vector.name)")
        }
    }

    @Test func `every invalid message is refused for its reason`() throws {
        for vector in try vectors().messagesInvalid {
            let payload = try #require(Hex.decode(vector.payload))
            let type = try #require(V01.MessageType(rawValue: vector.type))
            let error = #expect(throws: WireError.self) {
                try V01.Message(decoding: payload, as: type)
            }
            let label = try #require(VectorLabels.lcp[vector.name])
            #expect(error?.code == label, "\(vector.name)")
        }
    }

    @Test func `every params stream reads, writes and is refused as it says`() throws {
        let vectors = try vectors()
        for vector in vectors.llmChatParams + vectors.llmChatParamsUnknownTypes {
            let bytes = try #require(Hex.decode(vector.bytes))
            let params = try V01.LLMChatParams(decoding: bytes)
            #expect(vector.profile == nil || params.profile == vector.profile)
            #expect(params.temperatureMilli == vector.temperatureMilli)
            #expect(params.maxOutputTokens == vector.maxOutputTokens)
            for record in params.unknown {
                #expect(vector.unknown?[String(record.type)] == Hex.encode(record.value))
            }
            #expect(params.unknown.count == vector.unknown?.count ?? 0)
            #expect(try params.encoded() == bytes)
        }
        for vector in vectors.llmChatParamsInvalid {
            let bytes = try #require(Hex.decode(vector.bytes))
            let error = #expect(throws: WireError.self) { try V01.LLMChatParams(decoding: bytes) }
            #expect(error?.code == VectorLabels.lcp[vector.error ?? ""], "\(vector.bytes)")
        }
    }

    @Test func `every terms hash is reproduced`() throws {
        for vector in try vectors().termsHash {
            let terms = try V01.Terms(
                protocolVersion: vector.protocolVersion,
                jobID: #require(JobID(hex: vector.jobId)),
                price: MilliSatoshi(msat: vector.priceMsat),
                quoteExpiry: UnixTime(seconds: vector.quoteExpiry),
                taskKind: vector.taskKind,
                input: Array(vector.inputUtf8.utf8),
                params: vector.params.flatMap { Hex.decode($0) }
            )
            #expect(Hex.encode(try terms.encoded()) == vector.termsTlv, "\(vector.name)")
            #expect(try terms.hash().hex == vector.termsHash, "\(vector.name)")
        }
    }
}
