import LndRPC
import SwiftProtobuf

/// Feature bits with lnd's names for them.
enum FeatureNames {
    /// The features of every invoice of a simulated node.
    static let invoice = features([8, 14, 17, 25])

    /// The features a simulated node announces.
    static let node = features([0, 5, 7, 8, 12, 14, 17, 19, 23, 25, 27, 31, 45])

    static func features(_ bits: [UInt16]) -> [UInt32: Lnrpc_Feature] {
        var features: [UInt32: Lnrpc_Feature] = [:]
        for bit in bits {
            let name = names[bit & ~1]
            features[UInt32(bit)] = .with {
                $0.name = name ?? "unknown"
                $0.isRequired = bit % 2 == 0
                $0.isKnown = name != nil
            }
        }
        return features
    }

    private static let names: [UInt16: String] = [
        0: "data-loss-protect", 4: "upfront-shutdown-script", 6: "gossip-queries",
        8: "tlv-onion", 12: "static-remote-key", 14: "payment-addr", 16: "multi-path-payments",
        18: "wumbo-channels", 22: "anchors-zero-fee-htlc-tx", 24: "route-blinding",
        26: "shutdown-any-segwit", 30: "amp", 44: "explicit-commitment-type",
        262: "bolt-11-blinded-paths",
    ]
}
