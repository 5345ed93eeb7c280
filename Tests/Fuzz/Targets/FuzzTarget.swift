/// A decoder of foreign bytes, with what must hold for every input.
///
/// No input may crash, hang or take more memory than a small multiple of its size; beyond that
/// each target compares what was read, written and read again. libFuzzer looks for inputs that
/// break this, and the tests replay those in `Tests/Fuzz/Corpus`.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// A custom message of LCP v0.1: its kind in the first byte, then its payload.
    case messages
    /// TLV streams, lists, params and terms: which of them in the first byte.
    case values
    /// The text of a BOLT #11 invoice.
    case invoices
    /// A frame of the bus: which message in the first byte.
    case bus
    /// A work item of a provider or requester worker, its state bytes included.
    case steps
    /// Bytes of an HTTP/2 connection: role and splitting in the first byte.
    case http2
    /// gRPC's framing and header blocks: which of them in the first byte.
    case grpc
    /// The configuration file of a worker: which worker in the first byte.
    case yaml

    /// Feeds one input.
    ///
    /// - Parameter bytes: The input.
    /// - Throws: ``FuzzFinding`` when something did not hold.
    package func run(_ bytes: [UInt8]) throws(FuzzFinding) {
        switch self {
        case .messages: try Self.message(bytes)
        case .values: try Self.value(bytes)
        case .invoices: try Self.invoice(bytes)
        case .bus: try Self.frame(bytes)
        case .steps: try Self.step(bytes)
        case .http2: try Self.connection(bytes)
        case .grpc: try Self.call(bytes)
        case .yaml: try Self.configuration(bytes)
        }
    }
}

/// What an input broke.
package struct FuzzFinding: Error, CustomStringConvertible {
    /// What should have held.
    package var description: String
}

/// Goes on only when something holds.
func hold(_ condition: Bool, _ property: String) throws(FuzzFinding) {
    guard condition else { throw FuzzFinding(description: property) }
}

/// The value, where nothing may be thrown.
func mustNotThrow<Value>(
    _ property: String,
    _ body: () throws -> Value
) throws(FuzzFinding) -> Value {
    do { return try body() } catch {
        throw FuzzFinding(description: "\(property): \(error)")
    }
}
