import NIOCore
import NIOHTTP1
import OpenAIChat

/// Refuses what never becomes a request, and ends connections that were refused more.
///
/// A head must be there some time after its first byte (408) and be of a bounded size (431). After an
/// answer that says `connection: close` the server would still read what comes: the guard drops that,
/// and a moment later the connection. A client that asks first whether its body is welcome hears so,
/// unless it is too large.
///
/// It stands right behind the decoder, and lives on the connection's event loop alone.
final class RequestGuard: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// Sees the bytes of a head before it is one.
    private final class ByteWatch: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        let came: () -> Void

        init(_ came: @escaping () -> Void) { self.came = came }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            came()
            context.fireChannelRead(data)
        }
    }

    private let limits: RequestLimits
    /// Whether a head has come, and the end of its request has not.
    private var isReading = false
    /// How many requests have no complete answer.
    private var unanswered = 0
    /// Whether no request is answered any more.
    private var isOver = false
    /// Ends the wait for a head that has begun.
    private var wait: Scheduled<Void>?

    /// How long a client that was refused may take to read why.
    private static let lingering = TimeAmount.seconds(1)

    private init(_ limits: RequestLimits) { self.limits = limits }

    /// Puts one into the pipeline of a connection of HTTP/1.1, on its event loop.
    ///
    /// - Throws: `ChannelPipelineError` when the pipeline has no decoder.
    static func add(
        to pipeline: ChannelPipeline.SynchronousOperations,
        _ limits: RequestLimits
    ) throws {
        let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
        let guardian = RequestGuard(limits)
        try pipeline.addHandler(guardian, position: .after(decoder))
        let context = try pipeline.context(handler: guardian)
        try pipeline.addHandler(ByteWatch { guardian.beginHead(context) }, position: .first)
    }

    // MARK: - Requests

    private func beginHead(_ context: ChannelHandlerContext) {
        guard !isReading, !isOver, wait == nil else { return }
        let headTime = TimeAmount(limits.headTime)
        wait = context.eventLoop.assumeIsolated().scheduleTask(in: headTime) {
            self.wait = nil
            // An answer that is being written must not be interrupted.
            if self.unanswered > 0 { return self.beginHead(context) }
            self.refuse(.tooSlow, context)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            stopWaiting()
            isReading = true
            unanswered += 1
            if isAskedFor(head) { invite(context) }
        case .body: break
        case .end: isReading = false
        }
        context.fireChannelRead(data)
    }

    /// Whether a client waits for a word before it sends a body that may come.
    ///
    /// While an earlier answer is written there is no place for it; the client does not wait for ever.
    private func isAskedFor(_ head: HTTPRequestHead) -> Bool {
        let expected = head.headers[canonicalForm: "expect"]
        guard expected.contains(where: { $0.lowercased() == "100-continue" }),
            head.version != .http1_0, unanswered == 1
        else { return false }
        let length = head.headers.first(name: "content-length").flatMap { Int($0) }
        return (length ?? 0) <= limits.bodyBytes
    }

    private func invite(_ context: ChannelHandlerContext) {
        // RFC 9110 §10.1.1
        let head = HTTPResponseHead(version: .http1_1, status: .continue)
        context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Within a request the one who answers it hears of it.
        guard let error = error as? HTTPParserError, unanswered == 0 else {
            return context.fireErrorCaught(error)
        }
        guard !isOver else { return }
        let isTooLarge = if case .headerOverflow = error { true } else { false }
        refuse(isTooLarge ? .headTooLarge : .malformed, context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        stopWaiting()
        context.fireChannelInactive()
    }

    private func stopWaiting() {
        wait?.cancel()
        wait = nil
    }

    // MARK: - Answers

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head):
            if head.headers[canonicalForm: "connection"].contains("close") { isOver = true }
            context.write(data, promise: promise)
        case .body: context.write(data, promise: promise)
        case .end:
            unanswered -= 1
            guard isOver else { return context.write(data, promise: promise) }
            end(context, data, promise ?? context.eventLoop.makePromise())
        }
    }

    private func refuse(_ refusal: Refusal, _ context: ChannelHandlerContext) {
        isOver = true
        stopWaiting()
        let body = ByteBuffer(bytes: (try? ChatJSON.encode(refusal.error)) ?? .init("{}".utf8))
        let head = HTTPResponseHead(
            version: .http1_1,
            status: HTTPResponseStatus(statusCode: refusal.status),
            headers: [
                "content-type": "application/json", "content-length": "\(body.readableBytes)",
                "connection": "close", RequestName.header: RequestName.random(),
            ]
        )
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        end(context, wrapOutboundOut(.end(nil)), context.eventLoop.makePromise())
    }

    /// Writes the end of the last answer, and ends the connection.
    ///
    /// Not at once: the kernel would throw the answer away with what the client still sends.
    private func end(
        _ context: ChannelHandlerContext,
        _ data: NIOAny,
        _ written: EventLoopPromise<Void>
    ) {
        context.writeAndFlush(data, promise: written)
        written.futureResult.assumeIsolated().whenComplete { _ in
            context.close(mode: .output, promise: nil)
            context.eventLoop.assumeIsolated().scheduleTask(in: Self.lingering) {
                context.close(promise: nil)
            }
        }
    }
}
