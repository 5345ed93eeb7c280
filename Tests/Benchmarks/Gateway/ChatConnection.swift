import Foundation

/// A connection to a gateway that stays open, with a thread that blocks on it.
final class ChatConnection: Sendable {
    private let socket: Int32
    private let head: String
    private let thread = DispatchQueue(label: "connection")

    /// What went wrong.
    struct Broken: Error {
        var what: String
    }

    init(address: String, token: String) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        head = """
            POST /v1/chat/completions HTTP/1.1\r
            host: \(address)\r
            authorization: Bearer \(token)\r
            content-type: application/json\r

            """
        let parts = address.split(separator: ":")
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        guard parts.count == 2, let port = UInt16(parts[1]),
            inet_pton(AF_INET, String(parts[0]), &target.sin_addr) == 1
        else { throw Broken(what: "\(address) is not an IPv4 address and a port") }
        target.sin_port = port.bigEndian
        let isConnected = withUnsafePointer(to: &target) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else { throw Broken(what: "no connection to \(address)") }
        var on: Int32 = 1
        setsockopt(
            socket,
            Int32(IPPROTO_TCP),
            TCP_NODELAY,
            &on,
            socklen_t(MemoryLayout<Int32>.size)
        )
    }

    deinit { close(socket) }

    /// Buys a completion.
    ///
    /// - Returns: How long it took, in milliseconds.
    /// - Throws: ``Broken``.
    func time(ofBuying prompt: String) async throws -> Double {
        try await withCheckedThrowingContinuation { continuation in
            thread.async {
                continuation.resume(
                    with: Result {
                        let start = ContinuousClock.now
                        try self.post(Self.body(prompt, isStream: false))
                        return (.now - start) / .milliseconds(1)
                    }
                )
            }
        }
    }

    /// The body of a request.
    static func body(_ prompt: String, isStream: Bool) -> String {
        """
        {"model":"demo","messages":[{"role":"user","content":"\(prompt)"}],"stream":\(isStream)}
        """
    }

    /// Sends a request and reads its answer to the end.
    ///
    /// - Throws: ``Broken`` unless the answer is 200 with a length.
    private func post(_ body: String) throws {
        let request = Array("\(head)content-length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
        guard send(socket, request, request.count, Int32(MSG_NOSIGNAL)) == request.count
        else { throw Broken(what: "the gateway takes nothing") }
        var answer: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = recv(socket, &piece, piece.count, 0)
            guard count > 0 else { throw Broken(what: "the gateway has left") }
            answer += piece[..<count]
            let text = String(decoding: answer, as: UTF8.self)
            guard let end = text.range(of: "\r\n\r\n") else { continue }
            let fields = text[..<end.lowerBound].lowercased().components(separatedBy: "\r\n")
            let length = fields.first { $0.hasPrefix("content-length:") }
                .flatMap { Int($0.split(separator: " ").last ?? "") }
            guard fields.first?.hasPrefix("http/1.1 200") == true, let length else {
                throw Broken(what: text)
            }
            if text[end.upperBound...].utf8.count >= length { return }
        }
    }
}
