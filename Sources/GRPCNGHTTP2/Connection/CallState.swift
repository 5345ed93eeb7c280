import GRPCCore
import NGHTTP2

/// What a connection knows about one call; touched on the connection's loop only.
final class CallState {
    let call: Call
    var deframer: MessageDeframer

    /// Nil while the call waits for a stream.
    var stream: StreamID?

    /// What a waiting call will begin with.
    var request: [HeaderField] = []
    var backlog: [[UInt8]] = []
    var isFinished = false

    /// The peer's first header block came (client), or ours went (server).
    var hasHeaders = false
    /// The call has its status: nothing more is expected from the peer, or sent by us.
    var hasStatus = false
    /// The peer ended its side.
    var hasRemoteEnd = false
    /// Bytes whose credit waits for the reader.
    var withheld = 0

    var deadline: TimerID?

    init(_ call: Call) {
        self.call = call
        deframer = MessageDeframer(limit: call.limits.maxReceived)
    }

    /// The connection is gone.
    func lose(_ reason: GRPCTransportError, _ loop: EventLoop) {
        if let deadline { loop.cancel(deadline) }
        let error = reason.rpcError()
        // What arrived before is valid and may be read; writers and handlers learn at once.
        call.inbound.fail(error)
        call.outbound.close(error)
        call.cancelHandler()
    }
}
