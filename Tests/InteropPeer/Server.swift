import Foundation
import GRPCCore
import GRPCNGHTTP2
import InteropControl
import NGHTTP2

/// Serves until it is told to stop.
struct Server {
    private let transport: HTTP2ServerTransport

    init(_ options: Options) throws {
        var configuration = ServerConfiguration()
        // Its handlers only await.
        configuration.runsHandlersOnLoop = true
        configuration.shutdownGrace = .seconds(30)
        configuration.http2.maxConcurrentStreams = 2_000
        configuration.holdsResponseHeaders = { ["Late", "Silent"].contains($0.method) }
        transport = HTTP2ServerTransport(
            address: .ip("127.0.0.1", port: options["port"].flatMap { UInt16($0) } ?? 0),
            security: options.serverSecurity,
            configuration: configuration
        )
    }

    func run() async throws {
        let book = Book()
        try await withThrowingTaskGroup { group in
            let server = GRPCServer(transport: transport, services: [Echo(book: book)])
            group.addTask { try await server.serve() }
            guard case .ip(_, let port) = try await transport.listeningAddress else { return }
            say("ready \(port)")
            for await input in standardInput()
            where String(decoding: input, as: UTF8.self).contains("stop") {
                break
            }
            server.beginGracefulShutdown()
            try await group.waitForAll()
        }
        say("served \(await book.count(of: .served))")
    }

    private func say(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }
}

/// The service: what a method does is in its name and in its metadata.
private struct Echo: RegistrableRPCService {
    typealias Request = StreamingServerRequest<[UInt8]>
    typealias Response = StreamingServerResponse<[UInt8]>
    typealias Handler = @Sendable (Request, ServerContext) async throws -> Response

    let book: Book

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        let handlers: [String: Handler] = [
            "Unary": unary, "ClientStream": clientStream, "ServerStream": serverStream,
            "Bidi": bidi, "Fail": fail, "Barrier": barrier, "Silent": silent, "Late": late,
            "Flood": flood, "Probe": probe, "Release": release, "AwaitOpened": awaitOpened,
            "AwaitCancelled": awaitCancelled,
        ]
        for (name, handler) in handlers {
            router.registerHandler(
                forMethod: .echo(name),
                deserializer: BytesDeserializer(),
                serializer: BytesSerializer(),
                handler: handler
            )
        }
    }

    private func unary(_ request: Request, _ context: ServerContext) async throws -> Response {
        let message = try await request.onlyMessage
        let metadata = request.metadata.echoed
        return Response(metadata: metadata) { writer in
            try await writer.write(message)
            await book.note(.served)
            return metadata
        }
    }

    private func clientStream(
        _ request: Request,
        _ context: ServerContext
    ) async throws -> Response {
        var messages = 0
        var size = 0
        for try await message in request.messages {
            messages += 1
            size += message.count
        }
        return .once(Array("\(messages) \(size)".utf8))
    }

    private func serverStream(
        _ request: Request,
        _ context: ServerContext
    ) async throws -> Response {
        let text = String(decoding: try await request.onlyMessage, as: UTF8.self)
        let numbers = text.split(separator: " ").compactMap { Int($0) }
        return Response { writer in
            for index in 0..<numbers[0] { try await writer.write(.fill(index, numbers[1])) }
            return [:]
        }
    }

    private func bidi(_ request: Request, _ context: ServerContext) async throws -> Response {
        let metadata = request.metadata.echoed
        return Response(metadata: metadata) { writer in
            try await following(request, context) { _ in
                for try await message in request.messages { try await writer.write(message) }
            }
            return metadata
        }
    }

    private func fail(_ request: Request, _ context: ServerContext) async throws -> Response {
        let metadata = request.metadata
        let error = RPCError(
            code: metadata.number("fail-code").flatMap { Status.Code(rawValue: $0) }
                .flatMap { RPCError.Code($0) } ?? .unknown,
            message: String(
                decoding: metadata[binaryValues: "fail-message-bin"].first { _ in true } ?? [],
                as: UTF8.self
            ),
            metadata: metadata.echoed
        )
        guard let count = metadata.number("fail-after") else { throw error }
        return Response { writer in
            for index in 0..<count { try await writer.write(.fill(index, 1)) }
            throw error
        }
    }

    /// Answers when as many calls as metadata says are open.
    private func barrier(_ request: Request, _ context: ServerContext) async throws -> Response {
        Response { writer in
            try await following(request, context) { key in
                await book.until(.opened(key), count: request.metadata.number("count") ?? 1)
                for try await message in request.messages { try await writer.write(message) }
            }
            return [:]
        }
    }

    /// Sends nothing, not even headers, until it is cancelled.
    private func silent(_ request: Request, _ context: ServerContext) async throws -> Response {
        try await following(request, context) { _ in try await context.cancellation.cancelled }
        throw RPCError(code: .cancelled, message: "the client has gone")
    }

    /// Sends its headers with its first message, when it is released.
    private func late(_ request: Request, _ context: ServerContext) async throws -> Response {
        Response(metadata: request.metadata.echoed) { writer in
            try await following(request, context) { key in
                await book.until(.released(key))
                try await writer.write(Array("late".utf8))
            }
            return [:]
        }
    }

    /// Writes as fast as the client lets it.
    private func flood(_ request: Request, _ context: ServerContext) async throws -> Response {
        Response { writer in
            try await following(request, context) { key in
                let size = request.metadata.number("size") ?? 0
                for index in 0..<(request.metadata.number("count") ?? 0) {
                    try await writer.write(.fill(index, size))
                    await book.note(.written(key))
                }
            }
            return [:]
        }
    }

    private func probe(_ request: Request, _ context: ServerContext) async throws -> Response {
        let usage = try Usage.now()
        let numbers = [
            "written": await book.count(of: .written(try await request.onlyText)),
            "served": await book.count(of: .served), "rss": usage.rss, "cpu": usage.cpu,
        ]
        return .once(Array(try JSONEncoder().encode(numbers)))
    }

    private func release(_ request: Request, _ context: ServerContext) async throws -> Response {
        await book.note(.released(try await request.onlyText))
        return .once([])
    }

    private func awaitOpened(
        _ request: Request,
        _ context: ServerContext
    ) async throws -> Response {
        await book.until(.opened(try await request.onlyText))
        return .once([])
    }

    private func awaitCancelled(
        _ request: Request,
        _ context: ServerContext
    ) async throws -> Response {
        await book.until(.cancelled(try await request.onlyText))
        return .once([])
    }

    /// Tells the book that a call began, and whether it was cancelled.
    private func following(
        _ request: Request,
        _ context: ServerContext,
        _ body: (String) async throws -> Void
    ) async throws {
        let key = request.metadata.text("key") ?? ""
        await book.note(.opened(key))
        let result: Result<Void, any Error>
        do { result = .success(try await body(key)) } catch { result = .failure(error) }
        if context.cancellation.isCancelled { await book.note(.cancelled(key)) }
        try result.get()
    }
}

extension StreamingServerRequest<[UInt8]> {
    fileprivate var onlyMessage: [UInt8] {
        get async throws {
            for try await message in messages { return message }
            throw RPCError(code: .invalidArgument, message: "no message")
        }
    }

    fileprivate var onlyText: String {
        get async throws { String(decoding: try await onlyMessage, as: UTF8.self) }
    }
}

extension StreamingServerResponse<[UInt8]> {
    fileprivate static func once(_ message: [UInt8]) -> StreamingServerResponse<[UInt8]> {
        StreamingServerResponse { writer in
            try await writer.write(message)
            return [:]
        }
    }
}

extension [UInt8] {
    /// Message number `index` of a stream.
    fileprivate static func fill(_ index: Int, _ size: Int) -> [UInt8] {
        [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: size)
    }
}
