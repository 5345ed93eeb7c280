import GRPCCore
import InteropControl

/// What a call brought, and how it ended.
struct Outcome: Sendable {
    var headers: Metadata = [:]
    var messages: [[UInt8]] = []
    var trailers: Metadata = [:]
    var error: RPCError?

    mutating func note(_ response: ClientResponse<[UInt8]>) {
        switch response.accepted {
        case .success(let contents):
            headers = contents.metadata
            trailers = contents.trailingMetadata
            switch contents.message {
            case .success(let message): messages = [message]
            case .failure(let error): note(error)
            }
        case .failure(let error): note(error)
        }
    }

    mutating func note(_ error: any Error) {
        let error =
            error as? RPCError
            ?? RPCError(
                code: error is CancellationError ? .cancelled : .unknown,
                message: "\(error)"
            )
        self.error = error
        trailers = error.metadata
    }

    func reply(to command: Command) -> Reply {
        var reply = Reply(to: command)
        reply.code = error?.code.rawValue ?? 0
        reply.message = error?.message ?? ""
        reply.headers = headers.fields
        reply.trailers = trailers.fields
        return reply
    }
}
