import GRPCCore
import GRPCNGHTTP2
import LndRPC
import Testing

@Suite struct LndNodeConnectionTests {
    @Test func `a call that never left says so, and that repeating it is safe`() {
        let cause = GRPCTransportError(.notProcessed, "the connection ended")
        let error = LndError(cause.rpcError(), rpc: "SendPaymentV2")
        #expect(error.code == .notReached)
        #expect(!error.outcomeIsUnknown)
        #expect(error.description.contains("SendPaymentV2: the connection ended"))
    }

    @Test(arguments: [
        GRPCTransportError.Code.connectionLost, .connectionClosed, .keepaliveTimedOut, .timedOut,
        .protocolViolation,
    ])
    func `a call whose connection broke has an unknown outcome`(code: GRPCTransportError.Code) {
        let error = LndError(GRPCTransportError(code, "gone").rpcError(), rpc: "SendPaymentV2")
        #expect(error.code == .unavailable)
        #expect(error.outcomeIsUnknown)
    }

    @Test func `nothing listens: the call names the address and what to do`() async throws {
        // Port 1 of the loopback address: reserved, and nothing of ours listens there.
        let connection = try LndConnection(
            address: "127.0.0.1:1",
            certificatePath: nil,
            macaroonPath: nil
        )
        let node = LndNode(connection, timeout: .seconds(600))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await node.run() }
            let error = await #expect(throws: LndError.self) { try await node.getVersion() }
            #expect(error?.code == .notReached)
            #expect(error?.detail.contains("127.0.0.1:1") == true)
            #expect(error?.detail.contains("Start the server") == true)
            node.beginGracefulShutdown()
            try await group.waitForAll()
        }
    }
}
