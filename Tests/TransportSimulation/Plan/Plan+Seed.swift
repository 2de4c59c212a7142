import MPIBridge

extension Plan {
    /// The plan of a seed.
    public init(seed: UInt64) {
        var random = SplitMix(seed: seed &* 0x5851_f42d_4c95_7f2d &+ 1)
        self.seed = seed
        rankCount = random.number(2...4)
        shape = Self.shape(&random)
        options = Self.options(&random)
        // Numbers of its own: those that come after stay what they were for each seed.
        var more = SplitMix(seed: seed ^ 0x7265_7175_6573_7473)
        if more.percent(50) { options.requestCredit = more.one(of: [1, 2, 5]) }
        faults = Self.faults(&random)
        isWired = random.percent(70)
        faults.corruptsSourceAddress = isWired
        keys = Self.keys(rankCount, &random)
        gap = random.one(of: [0...1_000, 0...10_000, 0...100_000])
        pollPeriod = random.one(of: [100...500, 100...1_000, 1_000...20_000])
        if random.percent(6) {
            death = (random.below(rankCount), random.time(10_000...2_000_000))
            options.peerTimeout = random.one(of: [20_000_000_000, 120_000_000_000])
        }
        planMessages(&random)
        planScripts(&random)
    }

    private static func shape(_ random: inout SplitMix) -> SimulatedPort.Shape {
        var shape = SimulatedPort.Shape()
        shape.frameByteCount = random.one(of: [160, 256, 576, 1514, 1514, 1514, 9014])
        shape.receiveRing = random.one(of: [4, 8, 32, 64, 256])
        shape.transmitRing = random.one(of: [4, 16, 64, 256])
        shape.packets = shape.frameByteCount > 2000 ? 512 : 1024
        if random.percent(30) { shape.packets = shape.receiveRing + random.number(128...300) }
        shape.packets = (shape.packets + 63) & ~63
        shape.frameTime = random.one(of: [10, 100, 1_000])
        shape.verifiesChecksums = random.percent(40)
        return shape
    }

    private static func options(_ random: inout SplitMix) -> TransportOptions {
        var options = TransportOptions()
        options.peerCapacity = 8
        options.eagerLimit = random.one(of: [64, 500, 4_096, 16_384, 16_384, 65_536])
        if random.percent(50) { return options }
        options.sendCapacity = random.one(of: [2, 8, 64, 4_096])
        options.receiveCapacity = random.one(of: [4, 16, 256, 65_536])
        options.retainedFrames = random.one(of: [8, 16, 64, 1_024])
        options.unexpectedByteLimit = random.one(of: [1_000, 100_000, 64 << 20])
        options.unexpectedCapacity = random.one(of: [2, 8, 64, 65_536])
        options.byteCredit = random.one(of: [500, 5_000, 1 << 18])
        options.messageCredit = random.one(of: [1, 4, 32, 64])
        options.acknowledgementDelay = random.one(of: [1_000, 20_000, 200_000])
        options.firstTimeout = random.one(of: [500_000, 2_000_000, 20_000_000])
        options.shortestTimeout = random.one(of: [100_000, 500_000, 2_000_000])
        return options
    }

    private static func faults(_ random: inout SplitMix) -> NetworkFaults {
        var faults = NetworkFaults()
        faults.delay = random.one(of: [500...600, 1_000...2_000, 2_000...50_000])
        // A fifth of the runs is on a perfect wire.
        guard random.percent(80) else { return faults }
        faults.loss = random.one(of: [0, 0, 1_000, 10_000, 50_000, 200_000])
        faults.duplication = random.one(of: [0, 0, 1_000, 20_000, 100_000])
        faults.corruption = random.one(of: [0, 0, 1_000, 10_000, 50_000])
        faults.detours = random.one(of: [0, 0, 1_000, 20_000, 200_000])
        faults.detour = random.one(of: [5_000...50_000, 10_000...1_000_000, 1_000_000...30_000_000])
        faults.padding = random.one(of: [0, 100_000])
        faults.bursts = random.one(of: [0, 0, 0, 500])
        return faults
    }

    /// Half of them so that numbers between every two start just below 2³² (``MPIBridge``'s first number: the upper half of
    /// the sender's key against the lower half of the receiver's).
    private static func keys(_ count: Int, _ random: inout SplitMix) -> [UInt64] {
        guard random.percent(50) else { return (0..<count).map { _ in random.next() } }
        let middle = UInt64(UInt32(truncatingIfNeeded: random.next()))
        return (0..<count).map { index in
            let upper = (middle ^ 0xffff_ffff) ^ UInt64(random.below(64))
            return upper << 32 | (middle ^ UInt64(index * 16 + random.below(16)))
        }
    }
}
