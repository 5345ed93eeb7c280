import ArgumentParser
import BusClient
import Glibc

/// Answers `GET /metrics` on this machine's own address.
///
/// Not a web server: one kind of request, one answer, then the connection is closed (RFC 9112 §9.6).
/// At most 16 connections at a time, each for five seconds and a request of 8 KiB; more wait in the
/// kernel's queue, which is short.
struct MetricsServer {
    private static let connections = 16
    private static let patience = Duration.seconds(5)
    private static let longestRequest = 8_192

    private let socket: CInt
    /// Where it listens, `127.0.0.1:9100`.
    let address: String

    /// Begins to listen.
    ///
    /// - Parameter place: Where; port 0 takes a free one.
    /// - Throws: ``CommandError`` when the address is in use.
    init(_ place: LoopbackAddress) throws {
        let isV4 = place.family != .v6
        let kind = CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        socket = Glibc.socket(isV4 ? AF_INET : AF_INET6, kind, 0)
        var yes: CInt = 1
        _ = setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<CInt>.size))
        guard socket >= 0, Self.bind(socket, place), Glibc.listen(socket, 16) == 0,
            let port = Self.port(of: socket)
        else {
            let cause = String(cString: strerror(errno))
            if socket >= 0 { close(socket) }
            throw CommandError(
                code: "not-listening",
                detail: "can't listen at port \(place.port): \(cause); choose another port",
                status: ExitStatus.cannotCreate
            )
        }
        switch place.family {
        case .v6: address = "[::1]:\(port)"
        case .v4(let host):
            let parts = [24, 16, 8, 0].map { "\(host >> UInt32($0) & 0xff)" }
            address = "\(parts.joined(separator: ".")):\(port)"
        }
    }

    private static func bind(_ socket: CInt, _ place: LoopbackAddress) -> Bool {
        switch place.family {
        case .v4(let host):
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = place.port.bigEndian
            address.sin_addr.s_addr = host.bigEndian
            return bind(socket, &address)
        case .v6:
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = place.port.bigEndian
            address.sin6_addr = in6addr_loopback
            return bind(socket, &address)
        }
    }

    private static func bind<Address>(_ socket: CInt, _ address: inout Address) -> Bool {
        // Every kind of address begins with what `sockaddr` has; the size says where it ends.
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(socket, $0, socklen_t(MemoryLayout<Address>.size)) == 0
            }
        }
    }

    /// The port a socket is bound to; it stands in the same place in both kinds of address.
    private static func port(of socket: CInt) -> UInt16? {
        var address = sockaddr_in6()
        var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let isKnown = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(socket, $0, &size) == 0
            }
        }
        return isKnown ? UInt16(bigEndian: address.sin6_port) : nil
    }

    /// Serves until cancelled.
    ///
    /// - Parameter metrics: Makes the text anew for each request.
    /// - Throws: `CancellationError`.
    func run(_ metrics: @escaping @Sendable () async throws -> String) async throws {
        defer { close(socket) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            var open = 0
            while true {
                try Task.checkCancellation()
                let connection = open < Self.connections ? accept(socket, nil, nil) : -1
                guard connection >= 0 else {
                    if open > 0, open >= Self.connections {
                        try await group.next()
                        open -= 1
                    } else {
                        // Scrapes come seconds apart.
                        try await Task.sleep(for: .milliseconds(20))
                    }
                    continue
                }
                open += 1
                _ = fcntl(connection, F_SETFL, O_NONBLOCK)
                group.addTask {
                    defer { close(connection) }
                    // Who is too slow, or gone, gets nothing.
                    _ = try? await within(Self.patience) {
                        try await Self.serve(connection, metrics)
                    }
                }
            }
        }
    }

    private static func serve(
        _ connection: CInt,
        _ metrics: @Sendable () async throws -> String
    ) async throws {
        guard let line = try await requestLine(connection) else { return }
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        let response: String
        if words.count != 3 || !words[2].hasPrefix("HTTP/1.") {
            response = answer("400 Bad Request", "not a request of HTTP/1\n")
        } else if words[0] != "GET", words[0] != "HEAD" {
            response = answer("405 Method Not Allowed", "only GET\n", "Allow: GET, HEAD\r\n")
        } else if words[1] != "/metrics" {
            response = answer("404 Not Found", "the numbers are at /metrics\n")
        } else {
            response = answer("200 OK", try await metrics(), isHead: words[0] == "HEAD")
        }
        try await send(response, to: connection)
    }

    private static func answer(
        _ status: String,
        _ body: String,
        _ header: String = "",
        isHead: Bool = false
    ) -> String {
        """
        HTTP/1.1 \(status)\r
        Content-Type: text/plain; version=0.0.4; charset=utf-8\r
        Content-Length: \(body.utf8.count)\r
        \(header)Connection: close\r
        \r
        \(isHead ? "" : body)
        """
    }

    /// Reads the whole head and gives its first line; nil for one that is too long or cut off.
    private static func requestLine(_ connection: CInt) async throws -> String? {
        var head: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1_024)
        while head.count < longestRequest {
            let count = recv(connection, &buffer, buffer.count, 0)
            if count < 0, errno == EAGAIN || errno == EINTR {
                try await Task.sleep(for: .milliseconds(5))
                continue
            }
            guard count > 0 else { return nil }
            head += buffer.prefix(count)
            guard head.firstRange(of: [13, 10, 13, 10]) != nil else { continue }
            return String(validating: head.prefix { $0 != 13 }, as: UTF8.self) ?? ""
        }
        return nil
    }

    private static func send(_ text: String, to connection: CInt) async throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(connection, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            if count < 0, errno == EAGAIN || errno == EINTR {
                try await Task.sleep(for: .milliseconds(5))
                continue
            }
            guard count >= 0 else { return }
            rest = rest.dropFirst(count)
        }
        // Closing with something unread would throw away what was sent (RFC 9112 §9.6).
        shutdown(connection, CInt(SHUT_WR))
        var buffer = [UInt8](repeating: 0, count: 1_024)
        for _ in 0..<200 where recv(connection, &buffer, buffer.count, 0) < 0 && errno == EAGAIN {
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
