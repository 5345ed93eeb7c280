import GRPCCore
import Testing

@testable import GRPCNGHTTP2

@Suite struct PolicyTests {
    private let start = ContinuousClock.now

    private func at(_ seconds: Int) -> ContinuousClock.Instant {
        start.advanced(by: .seconds(seconds))
    }

    // `#expect` can't expand calls that mutate.
    private func check<Value: Equatable>(
        _ found: Value,
        _ expected: Value,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(found == expected, sourceLocation: sourceLocation)
    }

    @Test func `a silent connection is pinged and given up when no answer comes`() {
        var keepalive = Keepalive(.client(), now: start)
        check(keepalive.decide(at: at(29), hasCalls: true), .wait(until: at(30)))
        check(keepalive.decide(at: at(30), hasCalls: true), .ping(until: at(50)))
        check(keepalive.decide(at: at(49), hasCalls: true), .wait(until: at(50)))
        check(keepalive.decide(at: at(50), hasCalls: true), .giveUp)
    }

    @Test func `whatever arrives counts as a sign of life`() {
        var keepalive = Keepalive(.client(), now: start)
        check(keepalive.decide(at: at(30), hasCalls: true), .ping(until: at(50)))
        keepalive.received(at: at(40))
        check(keepalive.decide(at: at(50), hasCalls: true), .wait(until: at(70)))
        check(keepalive.decide(at: at(70), hasCalls: true), .ping(until: at(90)))
    }

    @Test func `a client without calls does not ping, a server does`() {
        var client = Keepalive(.client(), now: start)
        check(client.decide(at: at(100), hasCalls: false), .wait(until: at(130)))
        var server = Keepalive(.server(), now: start)
        check(server.decide(at: at(60), hasCalls: false), .ping(until: at(80)))
    }

    @Test func `a client never pings more often than every ten seconds`() {
        #expect(KeepaliveConfiguration.client(interval: .seconds(1)).interval == .seconds(10))
    }

    @Test func `the third bad ping ends a connection, an answer forgives`() {
        var policy = PingPolicy(PingEnforcement())
        let first = [0, 1, 2].map { policy.received(at: at($0), hasCalls: true) }
        #expect(first == [true, true, true])
        policy.answered()
        let second = [3, 4, 5, 6].map { policy.received(at: at($0), hasCalls: true) }
        #expect(second == [true, true, true, false])
    }

    @Test func `pings without a call are bad at any pace`() {
        var policy = PingPolicy(PingEnforcement())
        let minutes = [0, 1, 2, 3].map { policy.received(at: at($0 * 60), hasCalls: false) }
        #expect(minutes == [true, true, true, false])
    }

    @Test func `waits grow to the maximum and begin anew after a reset`() {
        var backoff = Backoff(BackoffConfiguration(random: { 0.5 }))
        check(backoff.next(), .seconds(1))
        check(backoff.next(), .seconds(1) * 1.6)
        for _ in 0..<20 { _ = backoff.next() }
        check(backoff.next(), .seconds(60))
        backoff.reset()
        check(backoff.next(), .seconds(1))
    }

    @Test(arguments: [(0.0, 0.8), (0.5, 1.0), (1.0, 1.2)])
    func `jitter moves a wait by a fifth at most`(_ random: Double, _ factor: Double) {
        var backoff = Backoff(BackoffConfiguration(random: { random }))
        let wait = backoff.next() / .seconds(1)
        #expect(abs(wait - factor) < 1e-9)
    }

    @Test func `cancelled timers take no room for long`() {
        var heap = TimerHeap()
        for _ in 0..<10_000 {
            let timer = heap.add(at(3_600)) {}
            heap.cancel(timer)
        }
        #expect(heap.size <= 65)
        check(heap.earliest(), nil)
    }

    @Test func `timers come due in their order`() {
        var heap = TimerHeap()
        let cancelled = heap.add(at(2)) {}
        for second in [5, 1, 4, 3] { _ = heap.add(at(second)) {} }
        heap.cancel(cancelled)
        check(heap.earliest(), at(1))
        check(heap.due(at: at(3)).count, 2)
        check(heap.earliest(), at(4))
        check(heap.due(at: at(9)).count, 2)
    }

    @Test func `addresses of both families are tried in turns`() throws {
        let six = try (1...3).map { try #require(SocketAddress(ip: "fd00::\($0)", port: 1)) }
        let four = try #require(SocketAddress(ip: "10.0.0.1", port: 1))
        #expect(Resolver.inTurns(six + [four]) == [six[0], four, six[1], six[2]])
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.255.0.9", true), ("::1", true), ("::ffff:127.0.0.1", true),
        ("10.0.0.1", false), ("::2", false), ("::ffff:10.0.0.1", false), ("0.0.0.0", false),
    ])
    func `loopback addresses are told from others`(_ text: String, _ isLocal: Bool) throws {
        #expect(try #require(SocketAddress(ip: text, port: 1)).isLocal == isLocal)
    }

    @Test func `addresses are written as gRPC writes peers`() throws {
        #expect("\(try #require(SocketAddress(ip: "127.0.0.1", port: 5)))" == "ipv4:127.0.0.1:5")
        #expect("\(try #require(SocketAddress(ip: "::1", port: 5)))" == "ipv6:[::1]:5")
        #expect("\(SocketAddress.unix("/a"))" == "unix:/a")
        #expect(SocketAddress(ip: "localhost", port: 1) == nil)
    }
}
