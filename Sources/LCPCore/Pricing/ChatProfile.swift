/// One `llm.chat` profile a provider sells: its price and its limits.
package struct ChatProfile: Equatable, Sendable {
    /// The profile's name on the wire; names an execution target, not necessarily a model.
    package var name: String
    /// What tokens cost.
    package var price: TokenPrice
    /// The most output tokens of one job; nil leaves only the provider-wide cap.
    package var maxOutputTokens: UInt32?
    /// The temperatures a request may ask for, in thousandths; nil refuses any request for one.
    package var temperatureMilli: ClosedRange<UInt32>?

    /// Makes a profile; by default a request may ask for temperatures from 0 to 2.
    package init(
        name: String,
        price: TokenPrice,
        maxOutputTokens: UInt32? = nil,
        temperatureMilli: ClosedRange<UInt32>? = 0...2000
    ) {
        self.name = name
        self.price = price
        self.maxOutputTokens = maxOutputTokens
        self.temperatureMilli = temperatureMilli
    }
}
