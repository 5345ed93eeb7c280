import InteropControl
import Testing

extension Scenario {
    /// Servers that go away.
    static let disturbances = [
        Scenario("a killed server fails its calls, and its successor gets the next") { pairing in
            let certificate = try TestCertificate()
            try await RemoteServer.with(pairing.server, certificate.serverArguments) { server in
                let arguments = certificate.clientArguments(port: server.port)
                try await RemoteClient.with(pairing.client, arguments) { client in
                    let call = try await client.open("Bidi", metadata: [.text("key", "talk")])
                    try await call.send([1])
                    #expect(try await call.read() == [1])
                    await server.kill()
                    let callEnd = try await call.end()
                    #expect(callEnd.code == GRPCCode.unavailable)
                    try await RemoteServer.with(
                        pairing.server,
                        certificate.serverArguments + ["--port", "\(server.port)"]
                    ) { _ in
                        let next = try await client.call("Unary", .unary, [[2]], waitForReady: true)
                        #expect(next.code == GRPCCode.ok)
                        #expect(next.messages == [[2]])
                    }
                }
            }
        },
        Scenario("a server that stops under load loses no call silently") { pairing in
            let certificate = try TestCertificate()
            try await RemoteServer.with(pairing.server, certificate.serverArguments) { first in
                let arguments = certificate.clientArguments(port: first.port)
                try await RemoteClient.with(pairing.client, arguments) { client in
                    var load = Command(.load)
                    load.call = await client.newNumber()
                    load.count = 16
                    let begun = load
                    try await client.ask(begun, [[1, 2, 3]])
                    try await client.waitForProgress(of: begun, 500)
                    let servedByFirst = try await first.stop()
                    let counts = try await RemoteServer.with(
                        pairing.server,
                        certificate.serverArguments + ["--port", "\(first.port)"]
                    ) { second in
                        try await client.waitForProgress(of: begun, servedByFirst + 500)
                        var stop = Command(.stop)
                        stop.call = begun.call
                        let counts = try await client.ask(stop).reply.numbers ?? [:]
                        let servedBySecond = try await second.stop()
                        #expect(counts["0"] == servedByFirst + servedBySecond)
                        return counts
                    }
                    // Each call succeeded or said that it was not served; grpcio's server cancels
                    // those that come while it stops.
                    var allowed: Set = ["\(GRPCCode.ok)", "\(GRPCCode.unavailable)"]
                    if pairing.server.isForeign { allowed.insert("\(GRPCCode.cancelled)") }
                    #expect(allowed.isSuperset(of: counts.keys))
                }
            }
        },
        Scenario("a server that stops lets its open calls end") { pairing in
            try await pairing.run { client, server in
                let call = try await client.open("Bidi", metadata: [.text("key", "talk")])
                try await call.send([1])
                #expect(try await call.read() == [1])
                async let served = server.stop()
                for turn in UInt8(0)..<20 {
                    try await call.send([turn])
                    #expect(try await call.read() == [turn])
                }
                try await call.finish()
                let callEnd = try await call.end()
                #expect(callEnd.code == GRPCCode.ok)
                let count = try await served
                #expect(count == 0)
            }
        },
    ]
}

extension RemoteClient {
    /// Waits until so many calls of a load have succeeded.
    fileprivate func waitForProgress(of load: Command, _ count: Int) async throws {
        var progress = Command(.progress)
        progress.call = load.call
        progress.count = count
        try await ask(progress)
    }
}
