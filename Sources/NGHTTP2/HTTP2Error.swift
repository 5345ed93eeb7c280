/// Why an HTTP/2 session can't do or continue something.
package struct HTTP2Error: Error, Equatable, Sendable {
    /// What to branch on.
    package enum Code: String, Sendable {
        /// The peer's first bytes are not the client's connection preface.
        case notHTTP2
        /// The peer floods the session with frames that must be answered or remembered.
        case flooded
        /// The session can't go on after what the peer sent.
        case protocolViolation
        /// The stream is unknown or closed.
        case streamClosed
        /// No new stream may be opened: identifiers are used up, or a GOAWAY was seen.
        case streamsRefused
        /// The session was called from inside itself.
        case reentered
        /// Memory ran out, or nghttp2 met a state it does not expect.
        case internalFailure
    }

    /// What kind of failure it is.
    package var code: Code

    /// nghttp2's words for it; never header values.
    package var detail: String

    /// Makes an error of our own.
    package init(code: Code, detail: String) {
        self.code = code
        self.detail = detail
    }
}

extension HTTP2Error: CustomStringConvertible {
    /// The code and the detail.
    package var description: String { "\(code.rawValue): \(detail)" }
}

/// An error code of RST_STREAM and GOAWAY (RFC 9113 §7).
package struct HTTP2ErrorCode: RawRepresentable, Hashable, Sendable {
    /// The number on the wire; unknown numbers are kept.
    package var rawValue: UInt32

    /// Takes any number.
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The stream or connection ended as intended.
    package static let noError = HTTP2ErrorCode(rawValue: 0)
    /// The peer broke the protocol.
    package static let protocolError = HTTP2ErrorCode(rawValue: 1)
    /// The sender failed.
    package static let internalError = HTTP2ErrorCode(rawValue: 2)
    /// The peer sent more than its window.
    package static let flowControlError = HTTP2ErrorCode(rawValue: 3)
    /// A frame has a wrong or too large size.
    package static let frameSizeError = HTTP2ErrorCode(rawValue: 6)
    /// Nothing was processed; repeating the request is safe.
    package static let refusedStream = HTTP2ErrorCode(rawValue: 7)
    /// The stream is not wanted any more.
    package static let cancel = HTTP2ErrorCode(rawValue: 8)
    /// The peer makes too much work.
    package static let enhanceYourCalm = HTTP2ErrorCode(rawValue: 11)
    /// The transport is not secure enough.
    package static let inadequateSecurity = HTTP2ErrorCode(rawValue: 12)
}

extension HTTP2ErrorCode: CustomStringConvertible {
    private static let names = [
        "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT",
        "STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR",
        "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
    ]

    /// The name in RFC 9113, or the bare number.
    package var description: String {
        rawValue < UInt32(Self.names.count) ? Self.names[Int(rawValue)] : "error \(rawValue)"
    }
}
