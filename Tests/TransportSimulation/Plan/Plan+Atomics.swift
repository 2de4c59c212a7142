import MPIBridge

extension Plan {
    /// One rank sets a bit that is its own in a word of another.
    struct Atomic {
        let to: Int
        let bit: UInt64
        let returnsOld: Bool
        let fault: RemoteAccess.Fault
    }

    static let atomicKey: UInt64 = 0x3333
    /// Where the word is.
    static let atomicOffset: UInt64 = 8

    /// Drawn apart from the rest, so that what else a seed does stays as it was.
    mutating func planAtomics() {
        var random = SplitMix(seed: ~seed)
        guard random.percent(30) else { return }
        for number in 0..<random.number(1...20) {
            let from = random.below(rankCount)
            let to = (from + 1 + random.below(rankCount - 1)) % rankCount
            let fault = random.percent(85) ? RemoteAccess.Fault.none : random.one(of: [.unknownKey, .outside, .forbidden])
            let atomic = Atomic(to: to, bit: 1 << UInt64(number), returnsOld: random.percent(70), fault: fault)
            scripts[from].insert(.atomic(atomic), at: random.below(scripts[from].count + 1))
        }
    }
}
