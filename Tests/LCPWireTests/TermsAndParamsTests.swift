import Foundation
import LCPInspector
import LCPTesting
import LCPWire
import LightningTypes
import Testing

@Suite struct TermsVectorTests {
    private struct Case: Decodable {
        var name: String
        var ok: Bool
        var reject: String?
        var termsTLV: String?
        var termsHash: String?
        var paramsCanonical: String?
        var paramsHash: String?
        var params: String?
        var fields: TermsFields

        enum CodingKeys: String, CodingKey {
            case name, ok, reject
            case termsTLV = "terms_tlv_hex"
            case termsHash = "terms_hash_hex"
            case paramsCanonical = "params_canonical_hex"
            case paramsHash = "params_hash_hex"
            case params = "params_hex"
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            name = try container.decode(String.self, forKey: .name)
            ok = try container.decode(Bool.self, forKey: .ok)
            reject = try container.decodeIfPresent(String.self, forKey: .reject)
            termsTLV = try container.decodeIfPresent(String.self, forKey: .termsTLV)
            termsHash = try container.decodeIfPresent(String.self, forKey: .termsHash)
            paramsCanonical = try container.decodeIfPresent(String.self, forKey: .paramsCanonical)
            paramsHash = try container.decodeIfPresent(String.self, forKey: .paramsHash)
            params = try container.decodeIfPresent(String.self, forKey: .params)
            fields = try TermsFields(from: decoder)
        }
    }

    // LCP v0.1 §5.3 [terms-records] [canonical-params] [absent-params-hash]
    @Test func `every terms vector gives its stream and hash, or its reason`() throws {
        struct File: Decodable { var cases: [Case] }
        let data = try Fixture.data(named: "lcp-v0.1/terms_hash.json")
        let cases = try JSONDecoder().decode(File.self, from: data).cases
        #expect(cases.count >= 52)
        for vector in cases {
            do throws(InspectionError) {
                let json = try vector.fields.json()
                #expect(vector.ok, "\(vector.name) must be refused")
                #expect(
                    json == [
                        "terms_tlv_hex": .text(vector.termsTLV),
                        "terms_hash_hex": .text(vector.termsHash),
                    ],
                    "\(vector.name)"
                )
                let params = vector.params.flatMap { Hex.decode($0) }
                let canonical = try? CanonicalParams.encode(params ?? [])
                #expect(canonical.map { Hex.encode($0) } == vector.paramsCanonical ?? "")
                #expect((try? CanonicalParams.hash(params))?.hex == vector.paramsHash)
            } catch {
                #expect(error.code == vector.reject, "\(vector.name)")
            }
        }
    }
}

@Suite struct LLMChatParamsTests {
    private struct Case: Decodable {
        var name: String
        var direction: String
        var ok: Bool
        var paramsHex: String
        var reject: String?
        var fields: Fields?
    }

    private struct Fields: Decodable {
        var profile: String
        var temperatureMilli: UInt32?
        var maxOutputTokens: UInt32?
        var unknown: [Unknown]
    }

    private struct Unknown: Decodable {
        var type: String
        var valueHex: String
    }

    @Test func `every params vector reads, writes and is refused as it says`() throws {
        struct File: Decodable { var cases: [Case] }
        let file = try Fixture.decode(File.self, named: "lcp-v0.1/llm_chat_params.json")
        #expect(file.cases.count >= 63)
        for vector in file.cases {
            let bytes = try #require(Hex.decode(vector.paramsHex))
            do throws(WireError) {
                let params = try V01.LLMChatParams(decoding: bytes)
                #expect(vector.ok, "\(vector.name) must be refused")
                #expect(params.profile == vector.fields?.profile, "\(vector.name)")
                #expect(params.temperatureMilli == vector.fields?.temperatureMilli)
                #expect(params.maxOutputTokens == vector.fields?.maxOutputTokens)
                #expect(
                    params.unknown.map { "\($0.type)=\(Hex.encode($0.value))" }
                        == vector.fields?.unknown.map { "\($0.type)=\($0.valueHex)" }
                )
                // Unknown records go back to their places, so this holds for every direction.
                #expect(try params.encoded() == bytes, "\(vector.name)")
            } catch {
                #expect(error.code == vector.reject, "\(vector.name)")
            }
        }
    }

    @Test func `an unknown record may not claim a known type`() {
        let params = V01.LLMChatParams(
            profile: "a",
            unknown: [TLVRecord(type: 1, value: [0x62])]
        )
        #expect(throws: WireError.self) { try params.encoded() }
    }
}

@Suite struct TaskTemplateTests {
    private func request(_ params: V01.LLMChatParams) throws -> V01.QuoteRequest {
        try V01.QuoteRequest(taskKind: "llm.chat", input: [], params: try params.encoded())
    }

    private func template(_ params: V01.LLMChatParams) throws -> V01.TaskTemplate {
        try V01.TaskTemplate(taskKind: "llm.chat", params: try params.encoded())
    }

    // LCP v0.1 §5.1 [template-match]
    @Test func `a template matches requests that hold all its records with equal values`() throws {
        let plain = try template(.init(profile: "a"))
        let cool = try template(.init(profile: "a", temperatureMilli: 0))
        #expect(plain.matches(try request(.init(profile: "a"))))
        #expect(plain.matches(try request(.init(profile: "a", temperatureMilli: 700))))
        #expect(!plain.matches(try request(.init(profile: "b"))))
        #expect(cool.matches(try request(.init(profile: "a", temperatureMilli: 0))))
        #expect(!cool.matches(try request(.init(profile: "a", temperatureMilli: 1))))
        #expect(!cool.matches(try request(.init(profile: "a"))))
        let unknown = TLVRecord(type: 9, value: [1])
        #expect(plain.matches(try request(.init(profile: "a", unknown: [unknown]))))
        #expect(
            !(try template(.init(profile: "a", unknown: [unknown])))
                .matches(try request(.init(profile: "a")))
        )
    }

    @Test func `kinds match byte for byte, and other kinds by kind alone`() throws {
        let echo = try V01.TaskTemplate(taskKind: "écho", params: [1, 2, 3])
        #expect(echo.matches(try .init(taskKind: "écho", input: [], params: nil)))
        #expect(!echo.matches(try .init(taskKind: "e\u{301}cho", input: [], params: nil)))
        #expect(!echo.matches(try request(.init(profile: "a"))))
    }
}
