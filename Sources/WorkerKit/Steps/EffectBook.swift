import BridgeProtocol

/// The effects that are outstanding, each with its id and the form the bridge was given.
///
/// An effect keeps both for as long as it stays outstanding: the journal refuses an id that comes
/// back as another effect. Ids count up and none is used twice.
struct EffectBook<Effect: Equatable & Sendable>: Equatable, Sendable {
    /// One outstanding effect.
    struct Entry: Equatable, Sendable {
        /// What the job asks for.
        var effect: Effect
        /// What the bridge was given, with its id.
        var given: BusEffect
    }

    /// What is outstanding, in the job's order.
    private(set) var entries: [Entry] = []
    /// The highest id that was ever given.
    private(set) var lastID: UInt64 = 0

    init() {}

    /// Takes what was stored.
    init(entries: [Entry], lastID: UInt64) {
        self.entries = entries
        self.lastID = lastID
    }

    /// The effect that has an id.
    func effect(_ id: UInt64) -> Effect? { entries.first { $0.given.id == id }?.effect }

    /// Lets effects go, so that the job asks for them under new ids if it still does.
    mutating func forget(where isDone: (Entry) -> Bool) { entries.removeAll(where: isDone) }

    /// Makes the book say what the job says.
    ///
    /// Called after every single event: an effect that was done and is asked for once more is
    /// another effect.
    mutating func replace(
        with outstanding: [Effect],
        translate: (Effect) throws(StepError) -> BusEffect.OneOf_Body?
    ) throws(StepError) {
        var known = entries
        entries.removeAll()
        for effect in outstanding {
            if let index = known.firstIndex(where: { $0.effect == effect }) {
                entries.append(known.remove(at: index))
            } else if let body = try translate(effect) {
                lastID += 1
                var given = BusEffect()
                given.id = lastID
                given.body = body
                entries.append(Entry(effect: effect, given: given))
            }
        }
    }
}
