package import LightningTypes
package import OpenAIChat

/// Which peers may answer for a model, and what they call it; pure.
///
/// A model is the name of a profile, or an alias that the operator gave to one.
package struct ModelRoutes: Equatable, Sendable {
    /// A name that the operator gave to a profile.
    package struct Alias: Equatable, Sendable {
        /// What a request calls it.
        package var model: String
        /// What the peer calls it.
        package var profile: String
        /// The one peer that is asked; nil for any.
        package var peer: NodeID?

        /// Takes all of it.
        package init(model: String, profile: String, peer: NodeID? = nil) {
            self.model = model
            self.profile = profile
            self.peer = peer
        }

        /// Reads `MODEL=PROFILE` or `MODEL=PROFILE@NODE`; nil for anything else.
        package init?(_ text: String) {
            guard let equals = text.firstIndex(of: "=") else { return nil }
            let model = String(text[..<equals])
            var profile = String(text[text.index(after: equals)...])
            var peer: NodeID?
            if let at = profile.lastIndex(of: "@"),
                let named = NodeID(hex: profile[profile.index(after: at)...])
            {
                peer = named
                profile = String(profile[..<at])
            }
            guard !model.isEmpty, !profile.isEmpty else { return nil }
            self.init(model: model, profile: profile, peer: peer)
        }
    }

    /// A peer that can be asked.
    package struct Candidate: Equatable, Sendable {
        /// The peer.
        package var peer: NodeID
        /// What it calls the model.
        package var profile: String
        /// The largest message it takes; nil when it does not say.
        package var payloadBytes: Int?

        /// Takes all of it.
        package init(peer: NodeID, profile: String, payloadBytes: Int? = nil) {
            self.peer = peer
            self.profile = profile
            self.payloadBytes = payloadBytes
        }
    }

    /// Names that the operator gave; they hide profiles of the same name.
    package var aliases: [Alias]
    /// The peers that may be asked, the preferred first; empty for every peer, in the order of keys.
    package var peers: [NodeID]

    /// Takes both.
    package init(aliases: [Alias] = [], peers: [NodeID] = []) {
        self.aliases = aliases
        self.peers = peers
    }

    /// The peers that can be asked for a model, the preferred first.
    ///
    /// - Parameters:
    ///   - model: What the request calls it.
    ///   - sellers: Who sells what.
    ///   - failed: A peer that has just failed at the same request; it comes last.
    /// - Returns: At least one.
    /// - Throws: ``Refusal``: 404 for a model nobody has ever offered, 503 while nobody who offers it
    ///   is there.
    package func candidates(
        for model: String,
        among sellers: [Seller],
        after failed: NodeID? = nil
    ) throws(Refusal) -> [Candidate] {
        let alias = aliases.first { $0.model == model }
        let profile = alias?.profile ?? model
        let known = allowed(sellers).filter { seller in
            seller.profiles.contains(profile) && (alias?.peer ?? seller.peer) == seller.peer
        }
        guard !known.isEmpty || alias != nil else { throw .unknownModel(model) }
        let present = known.filter(\.isConnected)
        guard !present.isEmpty else { throw .providerAway(model) }
        let ordered =
            present.filter { $0.peer != failed } + present.filter { $0.peer == failed }
        return ordered.map {
            Candidate(peer: $0.peer, profile: profile, payloadBytes: $0.payloadBytes)
        }
    }

    /// What can be asked for now, by name.
    package func models(among sellers: [Seller]) -> [ModelList.Model] {
        let present = allowed(sellers).filter(\.isConnected)
        var names = Set(present.flatMap(\.profiles))
        for alias in aliases {
            let isOffered = present.contains { seller in
                seller.profiles.contains(alias.profile)
                    && (alias.peer ?? seller.peer) == seller.peer
            }
            if isOffered { names.insert(alias.model) } else { names.remove(alias.model) }
        }
        return names.sorted().compactMap { name in
            guard let first = try? candidates(for: name, among: sellers).first,
                let seller = present.first(where: { $0.peer == first.peer })
            else { return nil }
            return ModelList.Model(
                id: name,
                created: Int(clamping: seller.manifestUnix),
                ownedBy: seller.peer.hex
            )
        }
    }

    private func allowed(_ sellers: [Seller]) -> [Seller] {
        guard !peers.isEmpty else { return sellers.sorted { $0.peer < $1.peer } }
        return peers.compactMap { peer in sellers.first { $0.peer == peer } }
    }
}
