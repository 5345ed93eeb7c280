import LightningTypes

/// The random numbers of a simulated network: the system's, or a seed's.
struct NetworkRandom: RandomNumberGenerator {
    private var state: UInt64?
    private var system = SystemRandomNumberGenerator()

    init(seed: UInt64?) { state = seed }

    // Under a seed, SplitMix64: fine for a simulation and worthless as a secret, which a seed is
    // not meant to be.
    mutating func next() -> UInt64 {
        guard var state else { return system.next() }
        state &+= 0x9e37_79b9_7f4a_7c15
        self.state = state
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            withUnsafeBytes(of: next()) { bytes.append(contentsOf: $0) }
        }
        return Array(bytes.prefix(count))
    }

    mutating func bytes32() -> Bytes32 {
        guard let bytes = Bytes32(bytes(32)) else { preconditionFailure("32 bytes are 32 bytes") }
        return bytes
    }
}
