import GRPCCore
import GRPCNGHTTP2
import Testing

@Suite struct CallTests {
    @Test func `a unary call over TLS brings its message back`() async throws {
        let certificate = try TestCertificate()
        try await withBench(server: certificate.server, client: certificate.client) { client in
            let response = try await client.call("echo", [1, 2, 3])
            #expect(try response.message == [1, 2, 3])
        }
    }
}
