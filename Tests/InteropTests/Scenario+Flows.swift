import InteropControl
import Testing

extension Scenario {
    /// Much data and many calls.
    static let flows = [
        Scenario("a slow reader stalls its own stream and no other") { pairing in
            try await pairing.run { client, _ in
                let slow = try await client.open(
                    "Flood",
                    metadata: [
                        .text("key", "slow"), .text("count", "2000"), .text("size", "65536"),
                    ]
                )
                try await slow.finish()
                #expect(try await slow.read()?.count == 65_536)
                // 20 MB beside it, more than any window.
                let request = Array("300 65536".utf8)
                let fast = try await client.call("ServerStream", .serverStream, [request])
                #expect(fast.code == GRPCCode.ok)
                #expect(fast.messages.count == 300)
                // Neither side has taken more of the slow stream than windows and buffers hold.
                let written = try await client.probe("slow")["written"] ?? 0
                #expect(written >= 1)
                // grpcio opens its windows wide, to some tens of megabytes.
                #expect(written < 1_500, "the server wrote \(written) of 2000 unread messages")
                for index in 1..<2_000 {
                    let message = try await slow.read()
                    #expect(message?.first == UInt8(truncatingIfNeeded: index))
                }
                let slowEnd = try await slow.end()
                #expect(slowEnd.code == GRPCCode.ok)
            }
        },
        Scenario("a writer waits for a server that does not read") { pairing in
            try await pairing.run { client, _ in
                let call = try await client.open("Silent", metadata: [.text("key", "deaf")])
                #expect(try await client.waitUntilOpened("deaf").code == GRPCCode.ok)
                let message = [UInt8](repeating: 1, count: 1 << 20)
                let sent = Task {
                    var count = 0
                    while try await call.send(message) == GRPCCode.ok { count += 1 }
                    return count
                }
                for number in UInt8(0)..<100 {
                    let other = try await client.call("Unary", .unary, [[number]])
                    #expect(other.messages == [[number]])
                }
                try await call.cancel()
                // 100 MiB would fit no window: the writer was waiting when the call ended.
                #expect(try await sent.value < 100)
                let callEnd = try await call.end()
                // grpcio takes a write that was cut short for a failure of its own.
                if !pairing.client.isForeign { #expect(callEnd.code == GRPCCode.cancelled) }
                #expect(try await client.waitUntilCancelled("deaf").code == GRPCCode.ok)
            }
        },
        Scenario("sequential calls leave memory as it was") { pairing in
            try await pairing.run { client, _ in
                var command = Command(.repeat)
                command.count = Pairing.sequentialCalls / 10
                let body = [UInt8](repeating: 1, count: 256)
                // Once to warm the server up.
                try await client.ask(command, [body])
                let serverBefore = try await client.probe()["rss"] ?? 0
                command.count = Pairing.sequentialCalls
                let numbers = try await client.ask(command, [body]).reply.numbers ?? [:]
                let serverAfter = try await client.probe()["rss"] ?? 0
                #expect(serverBefore > 0)
                // grpcio's own memory is not our business.
                if !pairing.server.isForeign { #expect(serverAfter - serverBefore < 2_048) }
                if !pairing.client.isForeign {
                    let before = try #require(numbers["before"])
                    let after = try #require(numbers["after"])
                    #expect(after - before < 2_048)
                }
            }
        },
    ]
}
