/// One message of a conversation, as a client sends it.
package struct ChatMessage: Equatable, Sendable {
    /// Who said it.
    package enum Role: String, Codable, Sendable {
        /// Instructions for the whole conversation.
        case system
        /// The same, by its newer name.
        case developer
        /// Whoever asks.
        case user
        /// The model.
        case assistant
        /// What a tool returned.
        case tool
    }

    /// Who said it.
    package var role: Role
    /// What was said; nil for an assistant's message that only calls tools.
    package var content: Content?
    /// Every other field that has a value: `name`, `tool_calls`, `tool_call_id` and the like.
    package var others: [String: JSONValue] = [:]

    /// Makes a message of text.
    package init(_ role: Role, _ text: String) {
        self.role = role
        content = .text(text)
    }
}

extension ChatMessage {
    /// What was said.
    package enum Content: Equatable, Sendable {
        /// A text.
        case text(String)
        /// Pieces of text, images and the like.
        case parts([Part])

        /// The text; nil when a piece is something else.
        package var text: String? {
            switch self {
            case .text(let text): return text
            case .parts(let parts):
                var text = ""
                for part in parts {
                    guard case .text(let piece, _) = part else { return nil }
                    text += piece
                }
                return text
            }
        }
    }

    /// A piece of a message.
    package enum Part: Equatable, Sendable {
        /// `{"type": "text", "text": …}`, and every other field that has a value.
        case text(String, [String: JSONValue] = [:])
        /// Anything else, by its `type` and with all its fields.
        case other(type: String, [String: JSONValue])
    }
}

extension ChatMessage: Codable {
    /// Reads a message; an unknown role is an error.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: FieldName.self)
        role = try fields.decode(Role.self, forKey: FieldName("role"))
        content = try fields.value("content")
        others = try fields.others(than: ["role", "content"])
    }

    /// Writes the message; without content the field is left out.
    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: FieldName.self)
        try fields.write(role, "role")
        try fields.write(content, "content")
        for (name, value) in others { try fields.write(value, name) }
    }
}

extension ChatMessage.Content: Codable {
    /// Reads a string or a list of parts.
    package init(from decoder: any Decoder) throws {
        if let text = try? decoder.singleValueContainer().decode(String.self) {
            self = .text(text)
        } else {
            self = .parts(try decoder.singleValueContainer().decode([ChatMessage.Part].self))
        }
    }

    /// Writes what was read.
    package func encode(to encoder: any Encoder) throws {
        var single = encoder.singleValueContainer()
        switch self {
        case .text(let text): try single.encode(text)
        case .parts(let parts): try single.encode(parts)
        }
    }
}

extension ChatMessage.Part: Codable {
    /// Reads a part of any type.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: FieldName.self)
        let type = try fields.decode(String.self, forKey: FieldName("type"))
        if type == "text" {
            self = .text(
                try fields.decode(String.self, forKey: FieldName("text")),
                try fields.others(than: ["type", "text"])
            )
        } else {
            self = .other(type: type, try fields.others(than: ["type"]))
        }
    }

    /// Writes what was read.
    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: FieldName.self)
        switch self {
        case .text(let text, let others):
            try fields.write("text", "type")
            try fields.write(text, "text")
            for (name, value) in others { try fields.write(value, name) }
        case .other(let type, let others):
            try fields.write(type, "type")
            for (name, value) in others { try fields.write(value, name) }
        }
    }
}
