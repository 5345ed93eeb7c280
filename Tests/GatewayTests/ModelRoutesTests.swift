import LightningTypes
import OpenAIChat
import Testing

@testable import Gateway

@Suite struct ModelRoutesTests {
    private let a: NodeID
    private let b: NodeID
    private let c: NodeID

    init() throws {
        (a, b, c) = (try Self.node(1), try Self.node(2), try Self.node(3))
    }

    private static func node(_ last: UInt8) throws -> NodeID {
        try #require(NodeID([2] + Array(repeating: 0, count: 31) + [last]))
    }

    private var sellers: [Seller] {
        [
            Seller(b, profiles: ["small", "large"]), Seller(a, profiles: ["small"]),
            Seller(c, profiles: ["rare"], isConnected: false),
        ]
    }

    private func peers(_ routes: ModelRoutes, _ model: String, after: NodeID? = nil) throws
        -> [NodeID]
    {
        try routes.candidates(for: model, among: sellers, after: after).map(\.peer)
    }

    @Test func `a model is a profile, and whoever offers it may be asked`() throws {
        #expect(try peers(ModelRoutes(), "small") == [a, b])
        #expect(try peers(ModelRoutes(), "large") == [b])
        // Only the peers that were chosen, in their order.
        #expect(try peers(ModelRoutes(peers: [b, a]), "small") == [b, a])
        #expect(try peers(ModelRoutes(peers: [a]), "small") == [a])
    }

    @Test func `a peer that has just failed comes last`() throws {
        #expect(try peers(ModelRoutes(), "small", after: a) == [b, a])
        #expect(try peers(ModelRoutes(), "large", after: b) == [b])
    }

    @Test func `an alias hides the profile of its name and may be one peer's`() throws {
        let alias = try #require(ModelRoutes.Alias("small=large@\(b.hex)"))
        let routes = ModelRoutes(aliases: [alias])
        let candidates = try routes.candidates(for: "small", among: sellers)
        #expect(candidates == [.init(peer: b, profile: "large")])
        #expect(ModelRoutes.Alias("small=") == nil)
        #expect(ModelRoutes.Alias("=large") == nil)
        #expect(ModelRoutes.Alias("small") == nil)
        #expect(ModelRoutes.Alias("a=b@c")?.profile == "b@c")
    }

    @Test func `nobody has ever offered it is 404, nobody is there is 503`() {
        #expect(throws: Refusal.unknownModel("huge")) { try peers(ModelRoutes(), "huge") }
        #expect(throws: Refusal.providerAway("rare")) { try peers(ModelRoutes(), "rare") }
        let alias = ModelRoutes.Alias(model: "x", profile: "huge")
        #expect(throws: Refusal.providerAway("x")) {
            try peers(ModelRoutes(aliases: [alias]), "x")
        }
    }

    @Test func `models are what can be asked for now`() {
        #expect(ModelRoutes().models(among: sellers).map(\.id) == ["large", "small"])
        let aliases = [
            ModelRoutes.Alias(model: "gpt", profile: "large"),
            ModelRoutes.Alias(model: "small", profile: "rare"),
        ]
        #expect(ModelRoutes(aliases: aliases).models(among: sellers).map(\.id) == ["gpt", "large"])
    }
}
