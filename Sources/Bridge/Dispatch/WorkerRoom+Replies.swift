import BridgeProtocol
import Foundation
import ZeroMQ

extension WorkerRoom {
    /// Reads one reply; whatever is wrong with it is counted and harms nobody.
    func read(_ message: Message) {
        guard message.tail.isEmpty,
            let reply = try? BusWorkerReply(frame: message.head.bytes),
            let worker = WorkerID(Array(reply.worker)),
            let nonce = Token(reply.nonce),
            let body = reply.body,
            let statement = statement(of: body, bytes: message.byteCount)
        else { return handle(.dropped(.repliesMalformed)) }
        let speaker = Dispatcher.Speaker(worker: worker, nonce: nonce, key: message.sender)
        handle(.said(statement, by: speaker), reply: body)
    }

    /// What a body says; nil when it makes no sense in this room.
    private func statement(
        of body: BusWorkerReply.OneOf_Body,
        bytes: Int
    ) -> Dispatcher.Statement? {
        switch body {
        case .hello(let hello): return .hello(greeting(hello))
        case .job(let reply):
            guard role != .compute else { return nil }
            return Token(reply.lease).map { ended($0, bytes: bytes) }
        case .compute(let reply):
            guard role == .compute, let outcome = reply.outcome else { return nil }
            if case .failure(let failure) = outcome, failure.retryable {
                return Token(reply.lease).map { .failed($0, failure.shortened) }
            }
            return Token(reply.lease).map { ended($0, bytes: bytes) }
        case .progress(let progress): return Token(progress.lease).map { .progress($0) }
        case .failed(let failed):
            return Token(failed.lease).map { .failed($0, failed.failure.shortened) }
        case .goodbye: return .goodbye
        }
    }

    private func ended(_ lease: Token, bytes: Int) -> Dispatcher.Statement {
        guard bytes > settings.maximumReplyBytes else { return .answered(lease) }
        handle(.dropped(.repliesTooLarge))
        return .failed(lease, .replyTooLarge)
    }

    /// The version of LCP that every job is of.
    private static let version = "0.1"

    private func greeting(_ hello: BusHello) -> Greeting {
        Greeting(
            program: String(hello.program.prefix(128)),
            capacity: Int(clamping: hello.capacity),
            concurrency: Int(clamping: hello.concurrency),
            capabilities: hello.capabilities,
            speaksVersion: hello.dialects.isEmpty || hello.dialects.contains(Self.version),
            at: now()
        )
    }
}

extension BusFailure {
    /// The same with texts of bounded length: a failure is kept with its job.
    fileprivate var shortened: BusFailure {
        var failure = self
        failure.code = String(code.prefix(64))
        failure.detail = String(detail.prefix(1_000))
        failure.advice = String(advice.prefix(1_000))
        return failure
    }
}
