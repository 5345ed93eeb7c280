import Foundation
package import LightningTypes

/// A key as its file has it: who it is for and what it may do, and of itself only a hash.
package struct KeyRecord: Equatable, Sendable {
    /// What a key may cost; nil is no limit besides the bridge's own.
    package struct Budget: Equatable, Sendable {
        /// In any 24 hours.
        package var day: MilliSatoshi?
        /// In all.
        package var total: MilliSatoshi?

        /// Takes both limits.
        package init(day: MilliSatoshi? = nil, total: MilliSatoshi? = nil) {
            self.day = day
            self.total = total
        }

        /// Whether there is any limit.
        package var isLimited: Bool { day != nil || total != nil }
    }

    /// What it is called in files, logs and commands.
    package var id: KeyID { KeyID(of: hash) }
    /// Whom it is for.
    package var name: String
    /// The SHA-256 of the token.
    package var hash: Bytes32
    /// When it was made.
    package var created: UnixTime
    /// What it may spend.
    package var budget: Budget
    /// How many requests it may make in a minute; nil for any number.
    package var requestsPerMinute: UInt32?
    /// Since when it opens nothing; nil while it does.
    package var revoked: UnixTime?

    /// Describes a key that is not revoked.
    package init(
        name: String,
        hash: Bytes32,
        created: UnixTime,
        budget: Budget = Budget(),
        requestsPerMinute: UInt32? = nil
    ) {
        self.name = name
        self.hash = hash
        self.created = created
        self.budget = budget
        self.requestsPerMinute = requestsPerMinute
    }

    /// Whether a text can be a key's name: 1 to 64 characters on one line.
    package static func isName(_ text: String) -> Bool {
        (1...64).contains(text.count)
            && text.unicodeScalars.allSatisfy { !CharacterSet.controlCharacters.contains($0) }
    }
}

extension KeyRecord: Codable {
    private enum Field: String, CodingKey, CaseIterable {
        case id, name, hash, created, revoked
        case budgetDay = "budget_day_msat"
        case budget = "budget_msat"
        case rate = "requests_per_minute"
    }

    /// What is wrong with a line that is JSON; quotes nothing of it but names of members.
    struct Defect: Error {
        let description: String
    }

    /// Any name of a member.
    private struct Name: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }

        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// Reads one line of the file; a member that nobody reads is refused.
    package init(from decoder: any Decoder) throws {
        func wrong(_ what: String) -> Defect { Defect(description: what) }
        // A misspelt limit would be no limit.
        let names = try decoder.container(keyedBy: Name.self).allKeys.map(\.stringValue)
        if let stray = names.filter({ Field(rawValue: $0) == nil }).min() {
            throw wrong("unknown member \(stray)")
        }
        let fields = try decoder.container(keyedBy: Field.self)
        func time(_ field: Field) throws -> UnixTime? {
            try fields.decodeIfPresent(UInt64.self, forKey: field).map(UnixTime.init(seconds:))
        }
        func amount(_ field: Field) throws -> MilliSatoshi? {
            try fields.decodeIfPresent(UInt64.self, forKey: field).map(MilliSatoshi.init(msat:))
        }
        guard let hash = Bytes32(hex: try fields.decode(String.self, forKey: .hash)),
            let created = try time(.created)
        else { throw wrong("hash must be 64 hex digits, and created a time") }
        self.init(
            name: try fields.decode(String.self, forKey: .name),
            hash: hash,
            created: created,
            budget: Budget(day: try amount(.budgetDay), total: try amount(.budget)),
            requestsPerMinute: try fields.decodeIfPresent(UInt32.self, forKey: .rate)
        )
        revoked = try time(.revoked)
        guard Self.isName(name) else { throw wrong("name must have 1 to 64 characters") }
        guard requestsPerMinute != 0 else { throw wrong("requests_per_minute must not be 0") }
        guard try fields.decode(String.self, forKey: .id) == id.description else {
            throw wrong("id must be the first 12 digits of hash")
        }
    }

    /// Writes one line of the file.
    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Field.self)
        try fields.encode(id.description, forKey: .id)
        try fields.encode(name, forKey: .name)
        try fields.encode(hash.hex, forKey: .hash)
        try fields.encode(created.seconds, forKey: .created)
        try fields.encodeIfPresent(budget.day?.msat, forKey: .budgetDay)
        try fields.encodeIfPresent(budget.total?.msat, forKey: .budget)
        try fields.encodeIfPresent(requestsPerMinute, forKey: .rate)
        try fields.encodeIfPresent(revoked?.seconds, forKey: .revoked)
    }
}
