import BridgeProtocol
import LCPWire

/// How long a prompt may be for a peer to take it.
enum PromptLimit {
    /// The most bytes of input that a quote request to a peer has room for.
    ///
    /// - Parameters:
    ///   - peer: The peer, whose manifest may say what it can receive.
    ///   - params: The request's params.
    /// - Returns: The bytes; 0 when not even the rest fits.
    static func bytes(for peer: BusPeer, params: [UInt8]) -> Int {
        V01.QuoteRequest.inputLimit(
            payloadBytes: peer.maxPayloadBytes == 0 ? nil : Int(peer.maxPayloadBytes),
            params: params
        )
    }
}
