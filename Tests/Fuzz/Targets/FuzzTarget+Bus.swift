import BOLT11
import BridgeProtocol
import Foundation
import LCPCore
import LightningTypes
import SwiftProtobuf
import WorkerKit

extension FuzzTarget {
    static func frame(_ bytes: [UInt8]) throws(FuzzFinding) {
        guard let first = bytes.first else { return }
        let frame = Array(bytes.dropFirst())
        switch first % 9 {
        case 0: try frameOf(BusWorkerReply.self, frame)
        case 1: try frameOf(BusControlRequest.self, frame)
        case 2: try frameOf(BusQueryRequest.self, frame)
        case 3: try frameOf(BusWorkerEvent.self, frame)
        case 4: try frameOf(BusControlResponse.self, frame)
        case 5: try frameOf(BusQueryResponse.self, frame)
        case 6: try frameOf(BusFeedMessage.self, frame)
        case 7: try frameOf(BusFeedEvent.self, frame)
        default:
            guard let topic = WorkTopic(subscription: frame) else { return }
            try hold(topic.bytes == frame, "a topic is written byte for byte")
        }
    }

    private static func frameOf<Body: Message & Equatable>(
        _ type: Body.Type,
        _ frame: [UInt8]
    ) throws(FuzzFinding) {
        guard let body = try? Body(serializedBytes: frame) else { return }
        let written: [UInt8] = try mustNotThrow("what was read can be written") {
            try body.serializedBytes()
        }
        let again = try? Body(serializedBytes: written)
        try hold(again == body, "\(Body.protoMessageName) reads the same again")
    }

    static func step(_ bytes: [UInt8]) throws(FuzzFinding) {
        guard let event = try? BusWorkerEvent(frame: bytes), case .job(let item) = event.body
        else { return }
        let reply = try step(item)
        // Every item must have the same answer, whichever worker gets it.
        let again = try step(item)
        try hold(reply == again, "the same item has the same reply")
        guard let reply else { return }
        let written: [UInt8] = try mustNotThrow("a reply can be written") {
            try reply.serializedBytes()
        }
        try hold(
            (try? BusJobReply(serializedBytes: written)) == reply,
            "a reply reads the same again"
        )
        var next = item
        next.state = reply.state
        next.version = item.version &+ 1
        next.outstanding = reply.effects.map(\.id)
        next.events = [.with { $0.woken = BusWoken() }]
        try hold(try step(next) != nil, "the next step takes the state that the last one left")
    }

    /// The reply; nil when the item counts as failed.
    private static func step(_ item: BusJobItem) throws(FuzzFinding) -> BusJobReply? {
        let context = WorkerContext(nodeID: nil, network: "regtest")
        let identifiers = IdentifierSource { Bytes32([UInt8](repeating: 5, count: 32)) ?? .zero }
        let handler: any StepHandler =
            switch item.job.role {
            case .provider: ProviderSteps(rules: rules, identifiers: identifiers)
            default:
                RequesterSteps(rules: RequesterRules(network: .regtest), identifiers: identifiers)
            }
        do { return try handler.step(item, in: context) } catch {
            try hold(error is WorkFailure, "an item fails with words for the bridge: \(error)")
            return nil
        }
    }

    private static let rules = ProviderRules(
        prices: PriceList(
            profiles: ["gpt-5.2", "small", "regtest"].map {
                ChatProfile(
                    name: $0,
                    price: TokenPrice(
                        inputMsatPerMillion: 1_750_000,
                        outputMsatPerMillion: 14_000_000
                    )
                )
            }
        )
    )
}
