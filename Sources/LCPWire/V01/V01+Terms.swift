import LightningCrypto
package import LightningTypes

extension V01 {
    /// What the two sides agree on: the job, its price and its end (LCP v0.1 §5.3).
    ///
    /// A stream of its own, never sent; its hash is what the invoice commits to. `price_msat` and
    /// `quote_expiry` have other numbers here than on the wire.
    package struct Terms: Equatable, Sendable {
        /// The version of the job's messages; any value is hashed, 0 too.
        package var protocolVersion: UInt16
        /// The job.
        package var jobID: JobID
        /// What the whole job costs.
        package var price: MilliSatoshi
        /// When the quote ends (Unix seconds).
        package var quoteExpiry: UnixTime
        /// The kind of task; never empty.
        package var taskKind: String
        /// SHA-256 of the request's input.
        package var inputHash: ContentHash
        /// SHA-256 of the request's canonical params; of nothing when they are absent.
        package var paramsHash: ContentHash

        /// Takes the terms of a task at a price.
        ///
        /// The params only have to be a canonical stream here; what they must hold is the
        /// request's rule.
        ///
        /// - Parameters:
        ///   - protocolVersion: The version the request stated.
        ///   - jobID: The request's job.
        ///   - price: The quoted price.
        ///   - quoteExpiry: The end of the quote.
        ///   - taskKind: The request's kind of task.
        ///   - input: The request's input.
        ///   - params: The request's raw params; nil when absent.
        /// - Throws: ``WireError`` when the params are not a canonical stream.
        package init(
            protocolVersion: UInt16 = V01.protocolVersion,
            jobID: JobID,
            price: MilliSatoshi,
            quoteExpiry: UnixTime,
            taskKind: String,
            input: [UInt8],
            params: [UInt8]?
        ) throws(WireError) {
            self.init(
                protocolVersion: protocolVersion,
                jobID: jobID,
                price: price,
                quoteExpiry: quoteExpiry,
                taskKind: taskKind,
                inputHash: ContentHash(SHA256.hash(input)),
                paramsHash: ContentHash(try CanonicalParams.hash(params))
            )
        }

        /// Takes what a mapping has stored.
        package init(
            protocolVersion: UInt16,
            jobID: JobID,
            price: MilliSatoshi,
            quoteExpiry: UnixTime,
            taskKind: String,
            inputHash: ContentHash,
            paramsHash: ContentHash
        ) {
            self.protocolVersion = protocolVersion
            self.jobID = jobID
            self.price = price
            self.quoteExpiry = quoteExpiry
            self.taskKind = taskKind
            self.inputHash = inputHash
            self.paramsHash = paramsHash
        }

        /// The table of the terms.
        package static let codec = MessageCodec<Terms>(
            {
                Terms(
                    protocolVersion: $0,
                    jobID: $1,
                    price: $2,
                    quoteExpiry: $3,
                    taskKind: $4,
                    inputHash: $5,
                    paramsHash: $6
                )
            },
            // LCP v0.1 §5.3 [terms-records]
            TLV.required(1, "protocol_version", \.protocolVersion, .hashedVersion),
            TLV.required(2, "job_id", \.jobID, .bytes32()),
            TLV.required(3, "price_msat", \.price, .msat),
            TLV.required(4, "quote_expiry", \.quoteExpiry, .unixTime),
            TLV.required(20, "task_kind", \.taskKind, .nonEmptyUTF8),
            TLV.required(50, "input_hash", \.inputHash, .bytes32()),
            TLV.required(51, "params_hash", \.paramsHash, .bytes32())
        )

        /// The canonical stream of the terms.
        ///
        /// - Returns: The bytes that are hashed.
        /// - Throws: ``WireError`` when the task kind is empty or too long.
        package func encoded() throws(WireError) -> [UInt8] {
            try Self.codec.encode(self)
        }

        /// The hash that the invoice's `description_hash` must equal.
        ///
        /// - Returns: SHA-256 of ``encoded()``.
        /// - Throws: ``WireError`` when the task kind is empty or too long.
        package func hash() throws(WireError) -> TermsHash {
            TermsHash(SHA256.hash(try encoded()))
        }
    }

    /// SHA-256 of a job's input or params.
    ///
    /// Not for logs: a short prompt can be guessed from its hash, so the hash stays redacted.
    package struct ContentHash: Identifier32 {
        /// The 32 bytes of the hash.
        package let bytes: Bytes32

        /// Gives 32 bytes this meaning.
        package init(_ bytes: Bytes32) { self.bytes = bytes }

        /// Always `(redacted)`.
        package var description: String { "(redacted)" }
    }
}
