/// What went wrong in a run.
public struct SimulationFailure: Error, CustomStringConvertible {
    public let seed: UInt64
    public let reason: String
    public let time: UInt64

    public var description: String {
        "seed \(seed), at \(time) ns: \(reason)\n    again: swift run -c release transport-simulation --seed \(seed) --count 1"
    }
}
