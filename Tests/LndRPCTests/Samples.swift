import Foundation
import LightningCrypto
import LightningTypes
import LndRPC
import SwiftProtobuf
import Testing

/// Values that tests share.
enum Sample {
    static let nodeHex = "03e7156ae33b0a208d0744199163177e909e80176e55d97a2f221ede0f934dd9ad"
    static let preimageBytes = [UInt8](repeating: 7, count: 32)
    static let invoiceText = "lnbcrt500n1pn0samplepp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqf"

    static func node() throws -> NodeID { try #require(NodeID(hex: nodeHex)) }
    static func bytes32(_ byte: UInt8) throws -> Bytes32 {
        try #require(Bytes32([UInt8](repeating: byte, count: 32)))
    }
    static func preimage() throws -> Preimage { Preimage(try #require(Bytes32(preimageBytes))) }
    static let paymentHash = PaymentHash(SHA256.hash(preimageBytes))

    /// An open invoice as lnd sends it.
    static let invoice = Lnrpc_Invoice.with {
        $0.rHash = Data(paymentHash.bytes.bytes)
        $0.rPreimage = Data(preimageBytes)
        $0.valueMsat = 50_000
        $0.creationDate = 1_700_000_000
        $0.expiry = 600
        $0.paymentRequest = invoiceText
        $0.descriptionHash = Data(repeating: 9, count: 32)
        $0.addIndex = 5
    }

    /// A succeeded payment as lnd sends it.
    static let payment = Lnrpc_Payment.with {
        $0.paymentHash = paymentHash.hex
        $0.paymentPreimage = Hex.encode(preimageBytes)
        $0.valueMsat = 50_000
        $0.feeMsat = 12
        $0.creationTimeNs = 1_700_000_000_999_999_999
        $0.paymentIndex = 3
        $0.status = .succeeded
    }

    /// A node as lnd describes itself.
    static let info = Lnrpc_GetInfoResponse.with {
        $0.identityPubkey = nodeHex
        $0.alias = "alice"
        $0.version = "0.20.0-beta commit=v0.20.0-beta"
        $0.chains = [.with { $0.network = "regtest" }]
        $0.blockHeight = 812
        $0.bestHeaderTimestamp = 1_700_000_000
        $0.syncedToChain = true
        $0.numPeers = 2
        $0.numActiveChannels = 1
        $0.uris = ["\(nodeHex)@127.0.0.1:9735"]
    }
}
