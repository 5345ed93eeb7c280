import Foundation
import Glibc
import Testing

@testable import ServiceNotify

/// What a service manager hears, over real datagrams.
@Suite struct ServiceNotifyTests {
    /// A manager's socket; a name that begins with `@` is no file.
    private final class Listener {
        let address: String
        private let descriptor: Int32

        init(_ address: String) throws {
            self.address = address
            descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            var name = sockaddr_un()
            name.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &name.sun_path) { path in
                path.copyBytes(from: address.utf8)
                if address.hasPrefix("@") { path[0] = 0 }
            }
            let size = socklen_t(2 + address.utf8.count + (address.hasPrefix("@") ? 0 : 1))
            let bound = withUnsafePointer(to: &name) { name in
                name.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, size)
                }
            }
            try #require(bound == 0)
        }

        deinit {
            close(descriptor)
            unlink(address)
        }

        /// The datagrams that have arrived: a Unix socket has them when the sender returns.
        func received() -> [String] {
            var all: [String] = []
            var buffer = [UInt8](repeating: 0, count: 4_096)
            while case let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT)),
                count >= 0
            {
                all.append(String(decoding: buffer[..<count], as: UTF8.self))
            }
            return all
        }
    }

    private func manager(_ address: String, _ more: [String: String] = [:]) throws -> ServiceManager
    {
        let environment = more.merging(["NOTIFY_SOCKET": address]) { $1 }
        return try #require(ServiceManager(environment: environment, process: 42))
    }

    @Test(arguments: ["/tmp/lcp-notify-", "@lcp-notify-"])
    func `messages arrive at a path and at a name that is no file`(prefix: String) throws {
        let listener = try Listener(prefix + UUID().uuidString)
        try manager(listener.address).tell([.ready, .status("waiting\nfor lnd")])
        #expect(listener.received() == ["READY=1\nSTATUS=waiting for lnd"])
    }

    @Test func `the first turn says ready, the later ones feed the watchdog in time`() throws {
        let listener = try Listener("@lcp-notify-\(UUID().uuidString)")
        let notifier = ServiceNotifier(
            try manager(listener.address, ["WATCHDOG_USEC": "8000000", "WATCHDOG_PID": "42"])
        )
        #expect(notifier.interval == .seconds(2))
        let start = ContinuousClock.now
        for second in [0, 1, 2, 3, 4] { notifier.beat(at: start + .seconds(second)) }
        #expect(listener.received() == ["READY=1\nWATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"])
    }

    @Test func `a watchdog of another process is none of ours`() throws {
        let watchdog = ["WATCHDOG_USEC": "8000000", "WATCHDOG_PID": "43"]
        #expect(try manager("@x", watchdog).watchdog == nil)
        #expect(try manager("@x", ["WATCHDOG_USEC": "x"]).watchdog == nil)
    }

    @Test func `the same status is told once, and the end has the last word`() throws {
        let listener = try Listener("@lcp-notify-\(UUID().uuidString)")
        let notifier = ServiceNotifier(try manager(listener.address))
        for text in ["waiting", "waiting", "ready"] { notifier.tell(text) }
        notifier.stop("draining")
        notifier.tell("waiting")
        #expect(
            listener.received() == [
                "STATUS=waiting", "STATUS=ready", "STOPPING=1\nSTATUS=draining",
            ]
        )
    }

    @Test func `a manager that is away or full holds nobody up`() throws {
        try manager("/nowhere/\(UUID().uuidString)").tell([.ready])
        let listener = try Listener("@lcp-notify-\(UUID().uuidString)")
        let full = try manager(listener.address)
        for _ in 0..<5_000 { full.tell([.watchdog]) }
        #expect(listener.received().count < 5_000)
        #expect(ServiceManager(environment: ["NOTIFY_SOCKET": "relative"], process: 1) == nil)
        #expect(ServiceManager(environment: [:], process: 1) == nil)
    }
}
