/// `GET /v1/models`: what a server can be asked for.
package struct ModelList: Equatable, Sendable {
    /// The models.
    package var models: [Model]

    /// Takes the models.
    package init(_ models: [Model]) { self.models = models }

    /// One model.
    package struct Model: Equatable, Sendable {
        /// What a request calls it.
        package var id: String
        /// When it was made, in Unix seconds.
        package var created: Int
        /// Whose it is.
        package var ownedBy: String

        /// Takes all of it.
        package init(id: String, created: Int, ownedBy: String) {
            self.id = id
            self.created = created
            self.ownedBy = ownedBy
        }
    }
}

extension ModelList: Codable {
    private enum CodingKeys: String, CodingKey {
        case object, data
    }

    /// Reads a list.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        models = try fields.decode([Model].self, forKey: .data)
    }

    /// Writes the list.
    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode("list", forKey: .object)
        try fields.encode(models, forKey: .data)
    }
}

extension ModelList.Model: Codable {
    private enum CodingKeys: String, CodingKey {
        case id, object, created
        case ownedBy = "owned_by"
    }

    /// Reads a model; only its id must be there.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            id: try fields.decode(String.self, forKey: .id),
            created: try fields.decodeIfPresent(Int.self, forKey: .created) ?? 0,
            ownedBy: try fields.decodeIfPresent(String.self, forKey: .ownedBy) ?? ""
        )
    }

    /// Writes the model as an object `model`.
    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(id, forKey: .id)
        try fields.encode("model", forKey: .object)
        try fields.encode(created, forKey: .created)
        try fields.encode(ownedBy, forKey: .ownedBy)
    }
}
