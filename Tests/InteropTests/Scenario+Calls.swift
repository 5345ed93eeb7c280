import InteropControl
import Testing

extension Scenario {
    /// What calls carry.
    static let calls = [
        Scenario("every kind of RPC brings its messages") { pairing in
            try await pairing.run { client, _ in
                let unary = try await client.call("Unary", .unary, [[1, 2, 3]])
                #expect(unary.code == GRPCCode.ok)
                #expect(unary.messages == [[1, 2, 3]])

                let sizes = [0, 1, 100, 70_000]
                let sent = sizes.map { [UInt8](repeating: 7, count: $0) }
                let clientStream = try await client.call("ClientStream", .clientStream, sent)
                #expect(clientStream.messages == [Array("4 70101".utf8)])

                let request = Array("300 50".utf8)
                let serverStream = try await client.call("ServerStream", .serverStream, [request])
                #expect(serverStream.code == GRPCCode.ok)
                #expect(
                    serverStream.messages
                        == (0..<300).map {
                            [UInt8](repeating: UInt8(truncatingIfNeeded: $0), count: 50)
                        }
                )

                let bidi = try await client.call("Bidi", .bidi, sent)
                #expect(bidi.code == GRPCCode.ok)
                #expect(bidi.messages == sent)
            }
        },
        Scenario("each message of a conversation is answered before the next") { pairing in
            try await pairing.run { client, _ in
                let call = try await client.open("Bidi")
                for turn in UInt8(0)..<50 {
                    try await call.send([turn])
                    #expect(try await call.read() == [turn])
                }
                try await call.finish()
                let callEnd = try await call.end()
                #expect(callEnd.code == GRPCCode.ok)
            }
        },
        Scenario("a thousand streams are open at once on one connection") { pairing in
            try await pairing.run { client, _ in
                let metadata: [Field] = [.text("key", "all"), .text("count", "1000")]
                let ends = try await withThrowingTaskGroup(of: Bool.self) { group in
                    for number in 0..<1_000 {
                        group.addTask {
                            let message = Array("\(number)".utf8)
                            // No call is answered before all are open.
                            let end = try await client.call(
                                "Barrier",
                                .bidi,
                                [message],
                                metadata: metadata
                            )
                            return end.code == GRPCCode.ok && end.messages == [message]
                        }
                    }
                    return try await group.reduce(into: [Bool]()) { $0.append($1) }
                }
                #expect(ends.count == 1_000)
                #expect(ends.allSatisfy { $0 })
            }
        },
        Scenario("messages of 16 MiB go both ways") { pairing in
            try await pairing.run { client, _ in
                var message = [UInt8](repeating: 0, count: 16 << 20)
                for index in stride(from: 0, to: message.count, by: 4_099) {
                    message[index] = UInt8(truncatingIfNeeded: index >> 8)
                }
                let end = try await client.call("Bidi", .bidi, [message, [1], message])
                #expect(end.code == GRPCCode.ok)
                #expect(end.messages == [message, [1], message])
            }
        },
        Scenario("metadata goes both ways, binary and repeated values too") { pairing in
            try await pairing.run { client, _ in
                let all = (UInt8.min...UInt8.max).map { $0 }
                let metadata: [Field] = [
                    .text("echo-text", "a, b; c=\"d\""),
                    .binary("echo-data-bin", all),
                    .binary("echo-data-bin", [0]),
                    .binary("echo-empty-bin", []),
                    .text("echo-text", "second"),
                ]
                for (method, kind) in [("Unary", Command.Kind.unary), ("Bidi", .bidi)] {
                    let end = try await client.call(method, kind, [[1]], metadata: metadata)
                    #expect(end.code == GRPCCode.ok)
                    #expect(Set(end.headers).isSuperset(of: metadata))
                    #expect(Set(end.trailers).isSuperset(of: metadata))
                    // Equal keys keep their order.
                    #expect(
                        end.headers.filter { $0.key == "echo-data-bin" }
                            == metadata.filter { $0.key == "echo-data-bin" }
                    )
                }
            }
        },
        Scenario("headers that come only with the first message hold nothing up") { pairing in
            try await pairing.run { client, _ in
                let call = try await client.open(
                    "Late",
                    metadata: [.text("key", "late"), .text("echo-a", "b")]
                )
                try await call.finish()
                #expect(try await client.waitUntilOpened("late").code == GRPCCode.ok)
                async let headers = call.headers()
                async let message = call.read()
                // The same connection serves others meanwhile.
                let other = try await client.call("Unary", .unary, [[5]])
                #expect(other.messages == [[5]])
                let release = try await client.call("Release", .unary, [Array("late".utf8)])
                #expect(release.code == GRPCCode.ok)
                let first = try await message
                let metadata = try await headers
                #expect(first == Array("late".utf8))
                #expect(metadata.contains(.text("echo-a", "b")))
                let callEnd = try await call.end()
                #expect(callEnd.code == GRPCCode.ok)
            }
        },
    ]
}
