extension V01 {
    /// The message types of this version (LCP v0.1 §3.2 [message-numbers]).
    package enum MessageType: UInt16, Sendable, CaseIterable {
        /// `lcp_manifest`.
        case manifest = 42_081
        /// `lcp_quote_request`.
        case quoteRequest = 42_083
        /// `lcp_quote_response`.
        case quoteResponse = 42_085
        /// `lcp_result`.
        case result = 42_087
        /// `lcp_cancel`.
        case cancel = 42_095
        /// `lcp_error`.
        case error = 42_097

        /// The message's name in the specification.
        package var wireName: String {
            switch self {
            case .manifest: "lcp_manifest"
            case .quoteRequest: "lcp_quote_request"
            case .quoteResponse: "lcp_quote_response"
            case .result: "lcp_result"
            case .cancel: "lcp_cancel"
            case .error: "lcp_error"
            }
        }
    }

    /// Any message of this version.
    package enum Message: Equatable, Sendable {
        /// `lcp_manifest`, which belongs to the connection.
        case manifest(Manifest)
        /// `lcp_quote_request`, from the requester.
        case quoteRequest(Envelope, QuoteRequest)
        /// `lcp_quote_response`, from the provider.
        case quoteResponse(Envelope, QuoteResponse)
        /// `lcp_result`, from the provider.
        case result(Envelope, Result)
        /// `lcp_cancel`, from the requester.
        case cancel(Envelope, Cancel)
        /// `lcp_error`, from either side.
        case error(Envelope, Failure)

        /// The message's type on the wire.
        package var type: MessageType {
            switch self {
            case .manifest: .manifest
            case .quoteRequest: .quoteRequest
            case .quoteResponse: .quoteResponse
            case .result: .result
            case .cancel: .cancel
            case .error: .error
            }
        }

        /// Reads the payload of a custom message.
        ///
        /// - Parameters:
        ///   - payload: The payload without the 2 type bytes. Any bytes give a value or an error;
        ///     memory is bounded by a small multiple of their count.
        ///   - type: The message's type.
        /// - Throws: ``WireError`` for the first broken rule, with the message's wire name.
        package init(decoding payload: [UInt8], as type: MessageType) throws(WireError) {
            do {
                try TLVReader.checkFraming(payload[...])
                var reader = TLVReader(payload[...])
                switch type {
                case .manifest: self = .manifest(try Manifest.codec.read(&reader))
                case .quoteRequest:
                    self = .quoteRequest(try .read(&reader), try QuoteRequest.codec.read(&reader))
                case .quoteResponse:
                    self = .quoteResponse(try .read(&reader), try QuoteResponse.codec.read(&reader))
                case .result: self = .result(try .read(&reader), try Result.codec.read(&reader))
                case .cancel: self = .cancel(try .read(&reader), try Cancel.codec.read(&reader))
                case .error: self = .error(try .read(&reader), try Failure.codec.read(&reader))
                }
            } catch {
                throw error.naming(type)
            }
        }

        /// Writes the payload of a custom message.
        ///
        /// The size of the whole is not checked here: the limit is the peer's `max_payload_bytes`
        /// and lnd's 65533, which the session knows.
        ///
        /// - Returns: The payload without the 2 type bytes.
        /// - Throws: ``WireError`` when a value must not be written, with the message's wire name.
        package func encoded() throws(WireError) -> [UInt8] {
            do {
                switch self {
                case .manifest(let body): return try Manifest.codec.encode(body)
                case .quoteRequest(let envelope, let body):
                    return try QuoteRequest.codec.encode(
                        body,
                        after: envelope,
                        large: body.input.count
                    )
                case .quoteResponse(let envelope, let body):
                    return try QuoteResponse.codec.encode(body, after: envelope)
                case .result(let envelope, let body):
                    return try Result.codec.encode(body, after: envelope, large: body.result.count)
                case .cancel(let envelope, let body):
                    return try Cancel.codec.encode(body, after: envelope)
                case .error(let envelope, let body):
                    return try Failure.codec.encode(body, after: envelope)
                }
            } catch {
                throw error.naming(type)
            }
        }
    }
}

extension V01.Envelope {
    /// Reads the envelope at the front of a job message; the body's records follow it.
    fileprivate static func read(_ reader: inout TLVReader) throws(WireError) -> Self {
        try codec.read(&reader)
    }
}

extension MessageCodec {
    /// Writes an envelope and, behind it in the same stream, a body.
    ///
    /// The count of the body's one large value saves growing the stream around it.
    fileprivate func encode(
        _ body: Message,
        after envelope: V01.Envelope,
        large count: Int = 0
    ) throws(WireError) -> [UInt8] {
        var bytes: [UInt8] = []
        // The envelope takes 72 to 80 bytes, and the other records of most bodies are short.
        bytes.reserveCapacity(count + 256)
        try V01.Envelope.codec.append(envelope, to: &bytes)
        try append(body, to: &bytes)
        return bytes
    }
}

extension WireError {
    fileprivate func naming(_ type: V01.MessageType) -> WireError {
        var error = self
        error.message = type.wireName
        return error
    }
}
