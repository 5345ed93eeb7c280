import InteropControl
import Testing

extension Scenario {
    /// How calls end.
    static let endings = [
        Scenario("an error's text arrives whatever it is made of") { pairing in
            try await pairing.run { client, _ in
                for text in ["plain", "100 % sure\n", "Grüße aus Zürich, 雷 ⚡", "%41", ""] {
                    let end = try await client.call(
                        "Fail",
                        .unary,
                        [[1]],
                        metadata: failure(GRPCCode.notFound, text) + [.text("echo-why", "because")]
                    )
                    #expect(end.code == GRPCCode.notFound)
                    #expect(end.message == text)
                    #expect(end.messages.isEmpty)
                    #expect(end.trailers.contains(.text("echo-why", "because")))
                }
            }
        },
        Scenario("every status arrives as itself") { pairing in
            try await pairing.run { client, _ in
                for code in 1...16 {
                    let end = try await client.call(
                        "Fail",
                        .unary,
                        [[]],
                        metadata: failure(code, "as asked")
                    )
                    #expect(end.code == code)
                    #expect(end.message == "as asked")
                }
            }
        },
        Scenario("an error after messages comes after them") { pairing in
            try await pairing.run { client, _ in
                let end = try await client.call(
                    "Fail",
                    .serverStream,
                    [[]],
                    metadata: failure(15, "half way") + [.text("fail-after", "3")]
                )
                #expect(end.code == 15)
                #expect(end.message == "half way")
                #expect(end.messages == [[0], [1], [2]])
            }
        },
        Scenario("a method nobody serves is unimplemented") { pairing in
            try await pairing.run { client, _ in
                let end = try await client.call("Nothing")
                #expect(end.code == GRPCCode.unimplemented)
            }
        },
        Scenario("a deadline ends the call on both sides") { pairing in
            try await pairing.run { client, _ in
                // The deadline is for the call, not for the connection.
                _ = try await client.call("Unary", waitForReady: true)
                let metadata: [Field] = [.text("key", "slow")]
                let call = try await client.open("Silent", metadata: metadata, timeout: 3_000)
                let callEnd = try await call.end()
                #expect(callEnd.code == GRPCCode.deadlineExceeded)
                #expect(try await client.waitUntilCancelled("slow").code == GRPCCode.ok)
            }
        },
        Scenario("a cancelled call ends on both sides") { pairing in
            try await pairing.run { client, _ in
                let call = try await client.open(
                    "Flood",
                    metadata: [
                        .text("key", "flow"), .text("count", "9999"), .text("size", "65536"),
                    ]
                )
                try await call.send([1])
                #expect(try await call.read()?.count == 65_536)
                try await call.cancel()
                let callEnd = try await call.end()
                #expect(callEnd.code == GRPCCode.cancelled)
                #expect(try await client.waitUntilCancelled("flow").code == GRPCCode.ok)
                let other = try await client.call("Unary", .unary, [[1]])
                #expect(other.messages == [[1]])
            }
        },
        Scenario("a stream the server never answers disturbs no other") { pairing in
            try await pairing.run { client, _ in
                let silent = try await client.open("Silent", metadata: [.text("key", "quiet")])
                try await silent.send([1])
                #expect(try await client.waitUntilOpened("quiet").code == GRPCCode.ok)
                for number in UInt8(0)..<100 {
                    let other = try await client.call("Unary", .unary, [[number]])
                    #expect(other.messages == [[number]])
                }
                try await silent.cancel()
                let silentEnd = try await silent.end()
                #expect(silentEnd.code == GRPCCode.cancelled)
                #expect(try await client.waitUntilCancelled("quiet").code == GRPCCode.ok)
            }
        },
    ]

    /// Metadata that makes `Fail` end so.
    private static func failure(_ code: Int, _ text: String) -> [Field] {
        [.text("fail-code", "\(code)"), .binary("fail-message-bin", Array(text.utf8))]
    }
}
