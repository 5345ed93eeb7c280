import GRPCCore
import NGHTTP2

/// What a call's end without trailers means.
enum StreamEnding {
    /// The error for a stream that the peer reset.
    static func error(reset code: HTTP2ErrorCode) -> RPCError {
        switch code {
        case .cancel:
            RPCError(code: .cancelled, message: "the peer cancelled the call")
        case .refusedStream:
            GRPCTransportError(.notProcessed, "the server refused the stream").rpcError()
        case .enhanceYourCalm:
            RPCError(code: .resourceExhausted, message: "the server asks for fewer calls")
        case .inadequateSecurity:
            RPCError(code: .permissionDenied, message: "the server asks for better security")
        default:
            RPCError(code: .unavailable, message: "the peer reset the stream (\(code))")
        }
    }
}
