/// How often a wire does to a frame what good cables seldom do. Each rate is a probability, 0…1, of every frame on its own.
public struct WireFaults: Equatable, Sendable {
    /// The frame never arrives.
    public var loss = 0.0
    /// One to eight later frames arrive before it.
    public var reorder = 0.0
    /// It arrives twice.
    public var duplicate = 0.0
    /// One bit of it arrives wrong.
    public var corrupt = 0.0
    /// The same seed gives the same frames the same fates.
    public var seed: UInt64 = 1
    public init() {}
}

/// What becomes of one frame.
struct FrameFate: Equatable {
    var isLost = false
    var isDuplicated = false
    /// A number whose remainder names the bit that is wrong; nil: none is.
    var wrongBit: UInt64?
    /// Frames that go first.
    var heldFor = 0
}

/// The fates of an end's frames, in the order in which it sends them.
struct FrameFates {
    private let faults: WireFaults
    private var state: UInt64

    init(_ faults: WireFaults) {
        self.faults = faults
        state = faults.seed
    }

    static var longestHold: Int { 8 }

    /// Draws the same number of times for each frame, so that one rate does not change what another one hits.
    mutating func next() -> FrameFate {
        var fate = FrameFate()
        fate.isLost = happens(faults.loss)
        fate.isDuplicated = happens(faults.duplicate)
        let isHeld = happens(faults.reorder), isCorrupt = happens(faults.corrupt)
        let hold = draw(), bit = draw()
        if isHeld { fate.heldFor = Int(truncatingIfNeeded: hold % UInt64(Self.longestHold)) &+ 1 }
        if isCorrupt { fate.wrongBit = bit }
        return fate
    }

    /// 53 random bits are a number below 1.
    private mutating func happens(_ rate: Double) -> Bool { Double(draw() &>> 11) * 0x1p-53 < rate }

    /// SplitMix64: G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014, figure 14.
    private mutating func draw() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ (state &>> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed &>> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed &>> 31)
    }
}
