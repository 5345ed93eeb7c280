extension V01 {
    /// The params of an `llm.chat` task (LCP v0.1 §5.2.1).
    package struct LLMChatParams: Equatable, Sendable {
        /// Names an execution target of the provider, not necessarily a model; never empty.
        package var profile: String
        /// Sampling temperature in thousandths; nil when the requester leaves it to the provider.
        package var temperatureMilli: UInt32?
        /// The most tokens the answer may have; nil when left to the provider.
        package var maxOutputTokens: UInt32?
        /// Records this version does not know, in ascending order of type.
        package var unknown: [TLVRecord]

        /// Makes params.
        package init(
            profile: String,
            temperatureMilli: UInt32? = nil,
            maxOutputTokens: UInt32? = nil,
            unknown: [TLVRecord] = []
        ) {
            self.profile = profile
            self.temperatureMilli = temperatureMilli
            self.maxOutputTokens = maxOutputTokens
            self.unknown = unknown
        }

        /// The table of the known records.
        package static let codec = MessageCodec<LLMChatParams>(
            { LLMChatParams(profile: $0, temperatureMilli: $1, maxOutputTokens: $2) },
            // LCP v0.1 §5.2.1 [chat-profile-required]
            TLV.required(1, "profile", \.profile, .nonEmptyUTF8),
            TLV.optional(2, "temperature_milli", \.temperatureMilli, .tu32),
            TLV.optional(3, "max_output_tokens", \.maxOutputTokens, .tu32)
        )

        /// Reads a params stream and keeps what it does not know.
        ///
        /// - Parameter params: The raw value of the params record.
        /// - Throws: ``WireError`` for the first broken rule.
        package init(decoding params: [UInt8]) throws(WireError) {
            let count = try TLVReader.checkFraming(params[...])
            var reader = TLVReader(params[...])
            self = try Self.codec.read(&reader)
            let known = 1 + (temperatureMilli == nil ? 0 : 1) + (maxOutputTokens == nil ? 0 : 1)
            guard count > known else { return }
            reader = TLVReader(params[...])
            while let record = try reader.next() {
                guard !Self.codec.knows(record.type) else { continue }
                unknown.append(TLVRecord(type: record.type, value: reader.bytes[record.place]))
            }
        }

        /// Reads the raw params of some kind of task: `llm.chat` requires a valid params stream,
        /// the params of other kinds are opaque.
        init?(decoding params: [UInt8]?, of taskKind: String) throws(WireError) {
            guard taskKind == V01.llmChat else { return nil }
            // LCP v0.1 §5.2.1 [chat-params-required]
            guard let params else {
                throw WireError(.required, record: .init(type: 22, name: "params"))
            }
            try self.init(decoding: params)
        }

        /// Writes a params stream, the unknown records in their places.
        ///
        /// - Returns: The raw value of a params record.
        /// - Throws: ``WireError`` when the profile is empty, or the unknown records hold a known
        ///   type, a type twice, or a value that is too long.
        package func encoded() throws(WireError) -> [UInt8] {
            let known = try Self.codec.encode(self)
            guard !unknown.isEmpty else { return known }
            let records = try TLVStream.records(known[...]) + unknown
            return try TLVStream.encode(records.sorted { $0.type < $1.type })
        }
    }
}
