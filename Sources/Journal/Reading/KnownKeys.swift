/// Which keys may be in a table of the journal: a Bloom filter, in layers.
///
/// Most of what comes from peers and clients is about a job that is not there yet, and a query that only
/// says so costs two changes of threads. Its "no" is certain. Its "perhaps" is wrong for one key in
/// a thousand, and for those that were pruned since the start. About 2 bytes for a key, up to a limit:
/// peers make jobs, and beyond it more of them are asked for in vain.
struct KnownKeys<Key: Hashable & Sendable>: Sendable {
    private var layers: [Layer]
    private let limit: Int

    /// An empty filter.
    ///
    /// - Parameters:
    ///   - capacity: How many keys there are about to be; more are welcome.
    ///   - limit: For how many keys there is memory at most, within a factor of two.
    init(capacity: Int, limit: Int = 4 << 20) {
        layers = [Layer(capacity: min(capacity, limit))]
        self.limit = limit
    }

    /// Whether a key may have been inserted; `false` is certain.
    func mayContain(_ key: Key) -> Bool {
        let hash = Self.hash(key)
        return layers.contains { $0.contains(hash) }
    }

    /// Takes a key in.
    mutating func insert(_ key: Key) {
        // A step that is tried again brings its keys again.
        guard !mayContain(key) else { return }
        let last = layers.count - 1
        let capacity = layers[last].capacity * 2
        if layers[last].room <= 0, capacity <= limit { layers.append(Layer(capacity: capacity)) }
        layers[layers.count - 1].insert(Self.hash(key))
    }

    /// Another one in each process, so that no peer can choose keys that collide.
    private static func hash(_ key: Key) -> UInt64 { UInt64(bitPattern: Int64(key.hashValue)) }
}

/// A part of the filter, made for so many keys.
private struct Layer {
    static let bitsPerKey = 16
    static let probes: UInt64 = 6
    static let leastCapacity = 16_384

    /// A power of two of bits.
    var words: [UInt64]
    /// How many keys it may still take.
    var room: Int

    init(capacity: Int) {
        var bits = Self.leastCapacity * Self.bitsPerKey
        while bits < capacity * Self.bitsPerKey { bits *= 2 }
        words = Array(repeating: 0, count: bits / 64)
        room = bits / Self.bitsPerKey
    }

    /// How many keys it was made for.
    var capacity: Int { words.count * 64 / Self.bitsPerKey }

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
        return (0..<Self.probes).lazy.map { Int((start &+ $0 &* stride) & mask) }
    }
}
