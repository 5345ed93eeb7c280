import BridgeProtocol
import Foundation
import LightningTypes
import SwiftProtobuf
import Testing

/// A frame of `ipc-schema/golden`.
struct GoldenFrame: Sendable, CustomTestStringConvertible {
    var family: Family
    var name: String
    var endpoint: String
    /// The message's full name, `lcp.bus.v1.WorkerEvent`.
    var message: String
    /// Every frame as the receiver sees it; the last one is the message.
    var frames: [[UInt8]]
    /// The message in protobuf's JSON; nil for what can't be decoded.
    var json: Data?

    var testDescription: String { "\(family.rawValue): \(name)" }

    /// A file of frames.
    enum Family: String, CaseIterable {
        case work, control, query, feed, newer, malformed
    }

    /// The messages that travel on their own.
    static let messages: [any (Message & Equatable).Type] = [
        BusWorkerEvent.self, BusWorkerReply.self, BusControlRequest.self, BusControlResponse.self,
        BusQueryRequest.self, BusQueryResponse.self, BusFeedMessage.self, BusFeedEvent.self,
    ]

    /// What the last frame should be.
    func type() throws -> any (Message & Equatable).Type {
        try #require(Self.messages.first { $0.protoMessageName == message })
    }

    /// All frames of some files.
    static func all(_ families: [Family] = Family.allCases) throws -> [GoldenFrame] {
        try families.flatMap(read)
    }

    private static func read(_ family: Family) throws -> [GoldenFrame] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../../ipc-schema/golden/\(family.rawValue).json"
        )
        let document = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
        let entries = (document as? [String: Any])?["frames"] as? [[String: Any]]
        return try #require(entries).map { entry in
            let hex = try #require(entry["frames_hex"] as? [String])
            return GoldenFrame(
                family: family,
                name: try #require(entry["name"] as? String),
                endpoint: try #require(entry["endpoint"] as? String),
                message: try #require(entry["message"] as? String),
                frames: try hex.map { try #require(Hex.decode($0)) },
                json: try entry["json"].map { try JSONSerialization.data(withJSONObject: $0) }
            )
        }
    }
}
