/// Which jobs may be in the journal: a Bloom filter over their keys, in layers.
///
/// Most of what comes from peers and clients is about a job that is not there yet, and a query that only
/// says so costs two changes of threads. Its "no" is certain. Its "perhaps" is wrong for one key in
/// a thousand, and for jobs that were pruned since the start. About 2 bytes for a job, up to a limit:
/// peers make jobs, and beyond it more of them are asked for in vain.
struct KnownJobs: Sendable {
    private struct Layer {
        /// A power of two of bits.
        var words: [UInt64]
        /// How many keys it may still take.
        var room: Int

        init(capacity: Int) {
            var bits = KnownJobs.leastCapacity * KnownJobs.bitsPerKey
            while bits < capacity * KnownJobs.bitsPerKey { bits *= 2 }
            words = Array(repeating: 0, count: bits / 64)
            room = bits / KnownJobs.bitsPerKey
        }

        func contains(_ hash: UInt64) -> Bool {
            places(hash).allSatisfy { words[$0 / 64] & (1 << UInt64($0 % 64)) != 0 }
        }

        mutating func insert(_ hash: UInt64) {
            for place in places(hash) { words[place / 64] |= 1 << UInt64(place % 64) }
            room -= 1
        }

        /// Derived from two halves of one hash (Kirsch and Mitzenmacher, 2006).
        private func places(_ hash: UInt64) -> some Sequence<Int> {
            let (start, stride) = (hash >> 32, hash | 1)
            let mask = UInt64(words.count * 64 - 1)
            return (0..<KnownJobs.probes).lazy.map { Int((start &+ $0 &* stride) & mask) }
        }
    }

    private static let bitsPerKey = 16
    private static let probes: UInt64 = 6
    private static let leastCapacity = 16_384

    private var layers: [Layer]
    private let limit: Int

    /// An empty filter.
    ///
    /// - Parameters:
    ///   - capacity: How many jobs there are about to be; more are welcome.
    ///   - limit: For how many jobs there is memory at most, within a factor of two.
    init(capacity: Int, limit: Int = 4 << 20) {
        layers = [Layer(capacity: min(capacity, limit))]
        self.limit = limit
    }

    /// Whether a job may have been inserted; `false` is certain.
    func mayContain(_ key: JobKey) -> Bool {
        let hash = Self.hash(key)
        return layers.contains { $0.contains(hash) }
    }

    /// Takes a job in.
    mutating func insert(_ key: JobKey) {
        let bits = layers[layers.count - 1].words.count * 64
        // Twice as many as the last layer takes.
        if layers[layers.count - 1].room <= 0, bits / Self.bitsPerKey * 2 <= limit {
            layers.append(Layer(capacity: bits / Self.bitsPerKey * 2))
        }
        layers[layers.count - 1].insert(Self.hash(key))
    }

    /// Another one in each process, so that no peer can choose keys that collide.
    private static func hash(_ key: JobKey) -> UInt64 { UInt64(bitPattern: Int64(key.hashValue)) }
}
