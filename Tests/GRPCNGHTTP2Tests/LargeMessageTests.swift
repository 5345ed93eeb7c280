import GRPCCore
import GRPCNGHTTP2
import Testing

@Suite struct LargeMessageTests {
    @Test(arguments: [16_379, 16_384, 65_536, 1_000_000, 16 << 20])
    func `a message of any size comes back`(_ size: Int) async throws {
        let certificate = try TestCertificate()
        try await withBench(server: certificate.server, client: certificate.client) { client in
            var message = [UInt8](repeating: 7, count: size)
            // A chunk out of place would move these.
            for index in stride(from: 0, to: size, by: 997) {
                message[index] = UInt8(truncatingIfNeeded: index >> 8)
            }
            let response = try await client.call("echo", message)
            #expect(try response.message == message)
        }
    }

    @Test func `64 MiB pass, one byte more is refused before it is sent`() async throws {
        try await withBench(["count": TestService.count]) { client in
            let largest = [UInt8](repeating: 1, count: 64 << 20)
            let response = try await client.call("count", largest)
            #expect(try response.message == Array("1 67108864".utf8))
            let error = await rpcError { _ = try await client.call("count", largest + [1]).message }
            #expect(error?.code == .resourceExhausted)
            #expect(error?.message.contains("67108865") == true)
        }
    }

    @Test func `a server refuses a message above its limit and serves the next`() async throws {
        var configuration = ServerConfiguration()
        configuration.maxRequestBytes = 1_000
        try await withBench(serverConfiguration: configuration) { client in
            let message = [UInt8](repeating: 1, count: 1_001)
            let error = await rpcError { _ = try await client.call("echo", message).message }
            #expect(error?.code == .resourceExhausted)
            #expect(error?.message.contains("1001 bytes") == true)
            let response = try await client.call("echo", [1])
            #expect(try response.message == [1])
        }
    }

    @Test func `a server refuses to send a message above its limit`() async throws {
        var configuration = ServerConfiguration()
        configuration.maxResponseBytes = 1_000
        try await withBench(serverConfiguration: configuration) { client in
            let message = [UInt8](repeating: 1, count: 1_001)
            let error = await rpcError { _ = try await client.call("echo", message).message }
            #expect(error?.code == .resourceExhausted)
        }
    }

    @Test func `a client refuses an answer above the limit of its call`() async throws {
        try await withBench { client in
            var options = CallOptions.defaults
            options.maxResponseMessageBytes = 10
            let strict = options
            let error = await rpcError {
                _ = try await client.call("echo", Array(1...11), options: strict).message
            }
            #expect(error?.code == .resourceExhausted)
            let response = try await client.call("echo", Array(1...10), options: strict)
            #expect(try response.message.count == 10)
        }
    }
}
