/// A generator whose numbers follow from its seed (Steele, Lea, Flood: SplitMix64).
public struct SplitMix: RandomNumberGenerator, Sendable {
    private var state: UInt64
    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return Self.mixed(state)
    }

    static func mixed(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    /// Below `limit`, which is above zero.
    mutating func below(_ limit: Int) -> Int { Int(truncatingIfNeeded: next() % UInt64(limit)) }
    mutating func number(_ range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }
    mutating func time(_ range: ClosedRange<UInt64>) -> UInt64 { range.lowerBound + next() % (range.upperBound - range.lowerBound + 1) }
    /// Of a million.
    mutating func happens(_ millionths: Int) -> Bool { below(1_000_000) < millionths }
    mutating func percent(_ chance: Int) -> Bool { below(100) < chance }
    mutating func one<Element>(of choices: [Element]) -> Element { choices[below(choices.count)] }
}
