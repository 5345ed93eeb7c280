/// Where purchases that have ended stand, in the order of their ends; pure.
///
/// A place may be empty by the time that it is the oldest one.
struct EndedPurchases: Sendable {
    /// One purchase's place.
    struct Place: Equatable, Sendable {
        var series: PurchaseSeries
        var number: UInt64
    }

    private var places: [Place] = []
    /// Those before it are taken.
    private var first = 0

    /// How many there are.
    var count: Int { places.count - first }

    mutating func append(_ place: Place) { places.append(place) }

    /// Takes the oldest one; nil without any.
    mutating func takeOldest() -> Place? {
        guard first < places.count else { return nil }
        defer {
            first += 1
            // Half of the room at least is in use, and each place moves once on average.
            if first > places.count / 2 {
                places.removeFirst(first)
                first = 0
            }
        }
        return places[first]
    }
}
