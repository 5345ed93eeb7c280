import Foundation
import LCPTesting
import Subprocess
import Testing

@Suite struct LcpCommandTests {
    private let lcp = Program(name: "lcp")
    private let manifest = "010200010b0240000c17011514086c6c6d2e63686174160901076770742d352e32"

    private func vectors(_ file: String) throws -> [NSDictionary] {
        let data = try Fixture.data(named: "lcp-v0.1/\(file).json")
        let object = try JSONSerialization.jsonObject(with: data) as? NSDictionary
        return try #require(object?["cases"] as? [NSDictionary])
    }

    private func line(_ object: NSDictionary) throws -> String {
        String(decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self) + "\n"
    }

    @Test func `the version and the revision are printed`() async throws {
        let outcome = try await lcp.run("--version")
        #expect(outcome.status == .exited(0))
        let pattern = #/\d+\.\d+\.\d+ \((?:[0-9a-f]{12}|unknown)\)\n/#
        #expect(outcome.output.wholeMatch(of: pattern) != nil, "\(outcome.output)")
    }

    @Test(arguments: [
        [], ["decode", "message"], ["encode", "message"], ["terms-hash"],
        ["journal"], ["journal", "check"], ["journal", "backup"], ["journal", "info"],
    ])
    func `the help names the exit codes`(command: [String]) async throws {
        let result = try await Subprocess.run(
            lcp.executable,
            arguments: Arguments(command + ["--help"]),
            output: .string(limit: 1 << 20)
        )
        #expect(result.terminationStatus == .exited(0))
        #expect(result.standardOutput.contains("EXIT CODES"))
    }

    @Test func `a message is decoded from the argument and from standard input alike`() async throws
    {
        let first = try await lcp.run("decode", "message", "--type", "42081", manifest)
        let second = try await lcp.run(
            "decode",
            "message",
            "--type",
            "manifest",
            "-",
            input: " \(manifest.uppercased())\n"
        )
        #expect(first.status == .exited(0))
        #expect(first.output == second.output)
        let fields = try #require(try first.lines().first)
        #expect(fields["max_payload_bytes"] as? Int == 16384)
        let encoded = try await lcp.run(
            "encode",
            "message",
            "--type",
            "lcp_manifest",
            input: first.output
        )
        #expect(encoded.output == #"{"payload_hex":"\#(manifest)"}"# + "\n")
    }

    @Test func `bad data exits 65 and says why, as JSON on request`() async throws {
        let text = try await lcp.run("decode", "message", "--type", "42095", "0102")
        #expect(text.status == .exited(65))
        #expect(text.output.isEmpty)
        #expect(text.errors == "lcp: lcp_cancel: the stream ends inside or before a value\n")

        let json = try await lcp.run("decode", "message", "--type", "42095", "--json", "01020001")
        #expect(json.status == .exited(65))
        #expect(json.errors.hasPrefix(#"{"error":{"code":"missing-type-2","detail":""#))

        let invoice = try await lcp.run("decode", "invoice", "--json", "lnbc1x")
        #expect(invoice.status == .exited(65))
        #expect(invoice.errors.contains(#""code":""#))
    }

    @Test(arguments: [
        ["decode", "message"], ["decode", "message", "--type", "1", "00"], ["frobnicate"],
        ["decode", "message", "--type", "42081", "--dialect", "0.9", "00"],
        ["decode", "invoice"], ["encode", "message"], ["terms-hash", "extra"],
    ])
    func `a wrong command line exits 64`(arguments: [String]) async throws {
        let result = try await Subprocess.run(
            lcp.executable,
            arguments: Arguments(arguments + ["--json"]),
            output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20)
        )
        #expect(result.terminationStatus == .exited(64))
        #expect(result.standardError.hasPrefix(#"{"error":{"code":"usage""#))
    }

    @Test func `a batch of every message vector is decoded and encoded in order`() async throws {
        let cases = try vectors("messages") + vectors("malformed")
        let requests = try cases.map { vector in
            try line([
                "type": vector["message_type"] as Any, "payload_hex": vector["payload_hex"] as Any,
            ])
        }
        let answers = try await lcp.run("decode", "message", "--batch", input: requests.joined())
        #expect(answers.status == .exited(0))
        for (vector, answer) in zip(cases, try answers.lines()) {
            if vector["reject"] == nil {
                #expect(answer == ["ok": true, "fields": vector["fields"] as Any])
            } else {
                let error = answer["error"] as? NSDictionary
                #expect(answer["ok"] as? Bool == false)
                #expect(error?["code"] as? String == vector["reject"] as? String)
                #expect((error?["detail"] as? String)?.isEmpty == false)
            }
        }
        #expect(try answers.lines().count == cases.count)

        let messages = try vectors("messages")
        let fields = try messages.map { vector in
            try line(["type": vector["message_type"] as Any, "fields": vector["fields"] as Any])
        }
        let payloads = try await lcp.run("encode", "message", "--batch", input: fields.joined())
        #expect(
            try payloads.lines()
                == messages.map { ["ok": true, "payload_hex": $0["payload_hex"] as Any] }
        )
    }

    @Test func `a batch of every terms vector gives its stream and hash`() async throws {
        let cases = try vectors("terms_hash")
        let answers = try await lcp.run(
            "terms-hash",
            "--batch",
            input: try cases.map(line).joined()
        )
        let lines = try answers.lines()
        #expect(lines.count == cases.count)
        for (vector, answer) in zip(cases, lines) {
            if vector["ok"] as? Bool == true {
                let fields = answer["fields"] as? NSDictionary
                #expect(fields?["terms_tlv_hex"] as? String == vector["terms_tlv_hex"] as? String)
                #expect(fields?["terms_hash_hex"] as? String == vector["terms_hash_hex"] as? String)
            } else {
                let error = answer["error"] as? NSDictionary
                #expect(error?["code"] as? String == vector["reject"] as? String)
            }
        }
        let single = try await lcp.run("terms-hash", input: try line(cases[0]))
        #expect(try single.lines().first == lines[0]["fields"] as? NSDictionary)
    }

    @Test func `bad lines of a batch are answered in their places`() async throws {
        let long = String(repeating: "0", count: (16 << 20) + (64 << 10) + 1)
        let input = [
            "", "nonsense", "{}", #"{"type":7,"payload_hex":""}"#,
            #"{"type":42081,"payload_hex":"0"}"#,
            long, #"{"type":42081,"payload_hex":"01020001"}"#,
        ].joined(separator: "\n")
        let answers = try await lcp.run("decode", "message", "--batch", input: input)
        #expect(answers.status == .exited(0))
        let codes = try answers.lines().map { answer in
            (answer["error"] as? NSDictionary)?["code"] as? String ?? "ok"
        }
        #expect(
            codes == [
                "invalid-json", "invalid-json", "unknown-message-type", "unknown-message-type",
                "invalid-hex", "line-too-long", "ok",
            ]
        )
    }

    @Test func `a batch answers before its input ends`() async throws {
        let request = #"{"type":42081,"payload_hex":"01020001"}"# + "\n"
        let result = try await Subprocess.run(
            lcp.executable,
            arguments: ["decode", "message", "--batch"],
            input: .inputWriter,
            output: .sequence,
            error: .discarded
        ) { execution in
            var answers = execution.standardOutput.strings().makeAsyncIterator()
            for _ in 0..<3 {
                _ = try await execution.standardInputWriter.write(request)
                let answer = try await answers.next()
                #expect(answer?.hasPrefix(#"{"ok":true,"fields":{"protocol_version":1,"#) == true)
            }
            try await execution.standardInputWriter.finish()
            #expect(try await answers.next() == nil)
        }
        #expect(result.terminationStatus == .exited(0))
    }
}
