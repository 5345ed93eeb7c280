package import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A server of OpenAI's interface that plays a script: real sockets, and any bytes a test wants.
package final class ScriptedOpenAI: Sendable {
    /// What a client asked.
    package struct Request: Sendable {
        /// `POST /v1/chat/completions`, without the version.
        package var line: String
        /// The headers, names in lower case.
        package var headers: [String: String]
        /// The body.
        package var body: Data

        /// The body as a JSON object; empty when it is none.
        package var json: NSDictionary {
            (try? JSONSerialization.jsonObject(with: body)) as? NSDictionary ?? [:]
        }
    }

    /// What the server does with one request.
    package typealias Script = @Sendable (Request, ScriptedConnection) async throws -> Void

    private typealias Channel = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// Where it listens, without a path.
    package let address: String
    private let script: Script
    private let seen = Mutex<[Request]>([])

    private init(_ address: String, _ script: @escaping Script) {
        self.address = address
        self.script = script
    }

    /// What was asked so far.
    package var requests: [Request] { seen.withLock { $0 } }

    /// Serves while a closure runs.
    ///
    /// - Parameters:
    ///   - certificate: A certificate and its key, PEM; nil for plain HTTP.
    ///   - script: Plays one connection, which is closed after it.
    ///   - body: What to do beside it.
    /// - Returns: What the closure returns.
    /// - Throws: What the closure throws, or why nothing could listen.
    package static func run<Value: Sendable>(
        certificate: String? = nil,
        _ script: @escaping Script,
        _ body: (ScriptedOpenAI) async throws -> Value
    ) async throws -> Value {
        let tls = try certificate.map { try Self.tls($0) }
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        let handler = NIOSSLServerHandler(context: tls)
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                    return try Channel(wrappingChannelSynchronously: channel)
                }
            }
        let port = listener.channel.localAddress?.port ?? 0
        let server = ScriptedOpenAI("http\(tls == nil ? "" : "s")://127.0.0.1:\(port)", script)
        return try await listener.executeThenClose { connections in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await withThrowingDiscardingTaskGroup { group in
                        for try await channel in connections {
                            // A client that goes away in the middle is no failure of the server's.
                            group.addTask { try? await server.serve(channel) }
                        }
                    }
                }
                defer { group.cancelAll() }
                return try await body(server)
            }
        }
    }

    private static func tls(_ pem: String) throws -> NIOSSLContext {
        let bytes = Array(pem.utf8)
        let key = try NIOSSLPrivateKey(bytes: bytes, format: .pem)
        let chain = try NIOSSLCertificate.fromPEMBytes(bytes)
        return try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) },
                privateKey: .privateKey(key)
            )
        )
    }

    private func serve(_ channel: Channel) async throws {
        try await channel.executeThenClose { inbound, outbound in
            try await withThrowingTaskGroup(of: Void.self) { group in
                let connection = ScriptedConnection(outbound, channel.channel)
                var bytes = Data()
                var isAsked = false
                // Read to the end: a connection that nobody reads from hears of no end.
                for try await more in inbound where !isAsked {
                    bytes.append(contentsOf: more.readableBytesView)
                    guard let request = Self.request(bytes) else { continue }
                    isAsked = true
                    seen.withLock { $0.append(request) }
                    group.addTask { [script] in
                        try? await script(request, connection)
                        await connection.close()
                    }
                }
            }
        }
    }

    /// Reads a request; nil while it is not complete.
    private static func request(_ bytes: Data) -> Request? {
        guard let end = bytes.range(of: Data("\r\n\r\n".utf8)) else { return nil }
        var lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
            .components(separatedBy: "\r\n")
        let words = lines.removeFirst().split(separator: " ")
        var headers: [String: String] = [:]
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        let body = bytes[end.upperBound...]
        guard body.count >= headers["content-length"].flatMap({ Int($0) }) ?? 0 else { return nil }
        return Request(
            line: words.dropLast().joined(separator: " "),
            headers: headers,
            body: Data(body)
        )
    }
}
