import LightningTypes
import LndRPC
import Synchronization
import Testing

/// What has been heard so far, for those who wait for more of it.
final class Heard: Sendable {
    private let state = Mutex(false)

    /// Whether anything was heard.
    var anything: Bool { state.withLock { $0 } }

    func note() { state.withLock { $0 = true } }
}

/// Collects custom messages while a closure sends them.
///
/// lnd acknowledges no subscription, so probes of a type of their own go first until one arrives.
func collectMessages(
    _ count: Int,
    at receiver: LndClient,
    called receiverID: NodeID,
    from sender: LndClient,
    while body: @escaping @Sendable () async throws -> Void
) async throws -> [PeerMessage] {
    let probe = PeerMessage(peer: receiverID, type: 65_535, data: [])
    let heard = Heard()
    return try await withThrowingTaskGroup(of: [PeerMessage]?.self) { group in
        group.addTask {
            try await receiver.subscribeCustomMessages { stream in
                var found: [PeerMessage] = []
                for try await message in stream {
                    heard.note()
                    guard message.type != probe.type else { continue }
                    found.append(message)
                    if found.count == count { break }
                }
                return found
            }
        }
        group.addTask {
            while !heard.anything { try await sender.sendCustomMessage(probe) }
            try await body()
            return nil
        }
        defer { group.cancelAll() }
        while let next = try await group.next() {
            if let found = next { return found }
        }
        return []
    }
}

/// Collects invoice events while a closure makes them; events of the probes are left out.
func collectInvoices(
    _ count: Int,
    at node: LndClient,
    addIndex: UInt64 = 0,
    settleIndex: UInt64 = 0,
    while body: @escaping @Sendable () async throws -> Void
) async throws -> [Invoice] {
    let heard = Heard()
    return try await withThrowingTaskGroup(of: [Invoice]?.self) { group in
        group.addTask {
            try await node.subscribeInvoices(addIndex: addIndex, settleIndex: settleIndex) {
                stream in
                var found: [Invoice] = []
                for try await invoice in stream {
                    if invoice.amount == .probe {
                        heard.note()
                        continue
                    }
                    found.append(invoice)
                    if found.count == count { break }
                }
                return found
            }
        }
        group.addTask {
            while !heard.anything { _ = try await node.addInvoice(.of(.probe)) }
            try await body()
            return nil
        }
        defer { group.cancelAll() }
        while let next = try await group.next() {
            if let found = next { return found }
        }
        return []
    }
}

extension MilliSatoshi {
    /// An amount no test asks for otherwise.
    static let probe = MilliSatoshi(msat: 77_777)
}

extension NewInvoice {
    /// An invoice over an amount.
    static func of(_ amount: MilliSatoshi, preimage: Preimage? = nil) -> NewInvoice {
        NewInvoice(
            amount: amount,
            description: .text(Redacted("a test")),
            expirySeconds: 600,
            preimage: preimage
        )
    }
}

extension PaymentOrder {
    /// An order to pay an invoice.
    static func of(
        _ request: Redacted<String>,
        feeLimit: MilliSatoshi = .zero,
        parts: UInt32? = nil
    ) -> PaymentOrder {
        PaymentOrder(
            paymentRequest: request,
            feeLimit: feeLimit,
            timeoutSeconds: 30,
            maximumParts: parts
        )
    }
}

extension LndClient {
    /// Pays and waits for the end.
    func pay(_ order: PaymentOrder) async throws -> Payment {
        try await sendPaymentV2(order) { try await $0.finalState() }
    }
}

/// The code of the error that a call throws; nil when it succeeds.
func code(_ body: () async throws -> Void) async -> LndError.Code? {
    do {
        try await body()
    } catch let error as LndError {
        return error.code
    } catch {
        Issue.record(error)
    }
    return nil
}
