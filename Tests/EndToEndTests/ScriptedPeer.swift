import Foundation
import GRPCNGHTTP2
import LCPWire
import LightningCrypto
import LightningTypes
import LndRPC
import LocalNetwork

/// A peer without a bridge: it says what a test lets it say, through an lnd of its own.
struct ScriptedPeer: Sendable {
    let lnd: LndNode<HTTP2ClientTransport>
    let inbox = Inbox()

    /// What has arrived and was not taken yet.
    actor Inbox {
        private var messages: [V01.Message] = []
        private let arrivals: AsyncStream<Void>
        private let arrival: AsyncStream<Void>.Continuation

        init() {
            (arrivals, arrival) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        }

        func put(_ message: V01.Message) {
            messages.append(message)
            arrival.yield()
        }

        /// Waits for the next message that a test wants, and leaves the others.
        func take(where isWanted: @Sendable (V01.Message) -> Bool) async throws -> V01.Message {
            while true {
                if let index = messages.firstIndex(where: isWanted) {
                    return messages.remove(at: index)
                }
                var iterator = arrivals.makeAsyncIterator()
                guard await iterator.next(isolation: self) != nil else {
                    throw CancellationError()
                }
            }
        }

        func count(where isWanted: @Sendable (V01.Message) -> Bool) -> Int {
            messages.count(where: isWanted)
        }
    }

    /// Plays a bare node of a market beside a closure.
    static func play(
        _ name: String,
        in market: Market,
        _ body: @escaping @Sendable (ScriptedPeer) async throws -> Void
    ) async throws {
        try await market.withLnd(of: name) { lnd in
            let peer = ScriptedPeer(lnd: lnd)
            try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    try await lnd.subscribeCustomMessages { messages in
                        for try await message in messages {
                            guard let type = V01.MessageType(rawValue: message.type) else {
                                continue
                            }
                            await peer.inbox.put(try V01.Message(decoding: message.data, as: type))
                        }
                    }
                    return false
                }
                group.addTask {
                    // lnd acknowledges no subscription, but the simulated one can be asked.
                    try await eventually("\(name) listens") {
                        try await market.control("status").split(separator: "\n").contains {
                            $0.hasPrefix("\(name) ") && $0.hasSuffix(" 1 streams")
                        }
                    }
                    try await body(peer)
                    return true
                }
                defer { group.cancelAll() }
                while let hasEnded = try await group.next() {
                    if hasEnded { return }
                }
            }
        }
    }

    // MARK: - Sending

    func send(_ message: V01.Message, to peer: NodeID) async throws {
        try await lnd.sendCustomMessage(
            PeerMessage(peer: peer, type: message.type.rawValue, data: try message.encoded())
        )
    }

    /// Says what this peer can receive, and what it sells.
    func sendManifest(
        to peer: NodeID,
        maxPayloadBytes: UInt32 = 16_384,
        profiles: [String] = []
    ) async throws {
        let templates = try profiles.map {
            try V01.TaskTemplate(
                taskKind: V01.llmChat,
                params: try V01.LLMChatParams(profile: $0).encoded()
            )
        }
        let manifest = V01.Manifest(
            protocolVersion: V01.protocolVersion,
            maxPayloadBytes: maxPayloadBytes,
            supportedTasks: templates.isEmpty ? nil : templates
        )
        try await send(.manifest(manifest), to: peer)
    }

    /// An envelope of a job with a fresh message id.
    static func envelope(_ job: JobID, version: UInt16 = V01.protocolVersion) -> V01.Envelope {
        V01.Envelope(
            protocolVersion: version,
            jobID: job,
            messageID: MessageID(randomBytes()),
            expiry: UnixTime.wall.advanced(bySeconds: 300)
        )
    }

    /// 32 bytes that nobody has seen.
    static func randomBytes() -> Bytes32 {
        Bytes32((0..<32).map { _ in UInt8.random(in: 0...255) }) ?? .zero
    }

    // MARK: - Receiving

    /// The next request for a quote.
    func quoteRequest() async throws -> (V01.Envelope, V01.QuoteRequest) {
        while true {
            let message = try await inbox.take { $0.type == .quoteRequest }
            if case .quoteRequest(let envelope, let request) = message {
                return (envelope, request)
            }
        }
    }

    /// The next answer to a job: a quote, a result or an error.
    func answer(to job: JobID) async throws -> V01.Message {
        try await inbox.take { $0.jobID == job && $0.type != .manifest }
    }

    // MARK: - Selling

    /// A quote for a request, with the terms hash that belongs to it.
    func quote(
        _ envelope: V01.Envelope,
        _ request: V01.QuoteRequest,
        price: MilliSatoshi = MilliSatoshi(msat: 5_000),
        seconds: UInt64 = 300
    ) throws -> V01.QuoteResponse {
        let terms = try V01.Terms(
            jobID: envelope.jobID,
            price: price,
            quoteExpiry: UnixTime.wall.advanced(bySeconds: seconds),
            taskKind: request.taskKind,
            input: request.input,
            params: request.params
        )
        return V01.QuoteResponse(
            price: price,
            quoteExpiry: terms.quoteExpiry,
            termsHash: try terms.hash(),
            paymentRequest: ""
        )
    }

    /// The right invoice for a quote, by this peer's lnd.
    func invoice(for quote: V01.QuoteResponse) async throws -> AddedInvoice {
        try await lnd.addInvoice(
            NewInvoice(
                amount: quote.price,
                description: .hash(quote.termsHash.bytes),
                expirySeconds: 200
            )
        )
    }

    /// Waits until an invoice of this peer is paid.
    func settlement(of hash: PaymentHash) async throws {
        try await lnd.subscribeSingleInvoice(hash) { states in
            for try await invoice in states {
                if case .settled = invoice.state { return }
            }
        }
    }

    /// Pays a quote as a buyer.
    func pay(_ quote: V01.QuoteResponse) async throws -> Payment {
        let order = PaymentOrder(
            paymentRequest: Redacted(quote.paymentRequest),
            feeLimit: MilliSatoshi(msat: 1_000),
            timeoutSeconds: 30
        )
        return try await lnd.sendPaymentV2(order) { try await $0.finalState() }
    }
}

extension V01.Message {
    /// The job it is about; nil for a manifest.
    var jobID: JobID? {
        switch self {
        case .manifest: nil
        case .quoteRequest(let envelope, _), .quoteResponse(let envelope, _),
            .result(let envelope, _), .cancel(let envelope, _), .error(let envelope, _):
            envelope.jobID
        }
    }
}

extension UnixTime {
    /// The time of this machine, which the programs live by too.
    static var wall: UnixTime {
        UnixTime(seconds: UInt64(Date().timeIntervalSince1970))
    }
}

extension Market {
    /// Calls a node's lnd, beside its bridge if it has one.
    func withLnd(
        of name: String,
        _ body: @escaping @Sendable (LndNode<HTTP2ClientTransport>) async throws -> Void
    ) async throws {
        let node = try await network.node(name)
        let lnd = LndNode(
            try LndConnection(
                address: node.lndAddress,
                certificatePath: node.certificate,
                macaroonPath: node.macaroon
            )
        )
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await lnd.run()
                return false
            }
            group.addTask {
                try await body(lnd)
                return true
            }
            defer { group.cancelAll() }
            while let hasEnded = try await group.next() {
                if hasEnded { return }
            }
        }
    }
}
