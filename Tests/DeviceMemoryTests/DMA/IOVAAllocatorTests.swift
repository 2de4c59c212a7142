import DeviceMemory
import Testing

@Suite struct IOVAAllocatorTests {
    struct NoRoom: Error {}

    static func take(_ byteCount: UInt64, _ alignment: UInt64, _ iovas: inout IOVAAllocator) throws -> IOVARange {
        guard let range = iovas.allocate(byteCount: byteCount, alignment: alignment) else { throw NoRoom() }
        return range
    }

    static func range(_ first: UInt64, _ last: UInt64) -> IOVARange { IOVARange(first: first, last: last)! }

    @Test func reservedWindowsAreNeverHandedOut() throws {
        // The gap is x86's interrupt window.
        var iovas = IOVAAllocator(windows: [Self.range(0, 0xfedf_ffff), Self.range(0xfef0_0000, 0x1_ffff_ffff)])
        let reserved = Self.range(0xfee0_0000, 0xfeef_ffff)
        var taken = 0
        while let range = iovas.allocate(byteCount: 0x80_0000, alignment: 0x1000) {
            #expect(!range.overlaps(reserved))
            #expect(range.start.rawValue >= 1 << 24)
            taken += 1
        }
        // 16 MiB to 0xfee00000, and 0xfef00000 to 8 GiB, in pieces of 8 MiB: the rests are smaller than one.
        #expect(taken == (0xfee0_0000 - 0x100_0000) / 0x80_0000 + (0x2_0000_0000 - 0xfef0_0000) / 0x80_0000)
    }

    @Test(arguments: [0x1000, 0x20_0000, 0x4000_0000] as [UInt64]) func alignmentIsKept(alignment: UInt64) throws {
        var iovas = IOVAAllocator(windows: [Self.range(0x1234_5000, 0xffff_ffff)])
        let first = try Self.take(0x3000, alignment, &iovas)
        let second = try Self.take(0x3000, alignment, &iovas)
        #expect(first.start.rawValue % alignment == 0 && second.start.rawValue % alignment == 0)
        #expect(!first.overlaps(second))
    }

    @Test func alignmentAtTheTopOfTheAddressSpaceFindsNothingInsteadOfWrapping() {
        var iovas = IOVAAllocator(windows: [Self.range(UInt64.max - 0xfff, .max)])
        let tooAligned = iovas.allocate(byteCount: 0x1000, alignment: 1 << 21)
        let tooLong = iovas.allocate(byteCount: 0x1001, alignment: 1)
        let exact = iovas.allocate(byteCount: 0x1000, alignment: 0x1000)
        #expect(tooAligned == nil && tooLong == nil && exact?.last == .max)
        let free = iovas.freeRanges
        #expect(free.isEmpty)
    }

    @Test func releasedNeighboursBecomeOneRange() throws {
        let window = Self.range(0x1000_0000, 0x1000_ffff)
        var iovas = IOVAAllocator(windows: [window])
        let parts = try (0..<16).map { _ in try Self.take(0x1000, 0x1000, &iovas) }
        let none = iovas.freeRanges
        for part in parts where part.start.rawValue / 0x1000 % 2 == 0 { iovas.release(part) }
        let holes = iovas.freeRanges
        for part in parts where part.start.rawValue / 0x1000 % 2 == 1 { iovas.release(part) }
        let all = iovas.freeRanges
        #expect(none.isEmpty && holes.count == 8 && all == [window])
    }

    @Test func windowsThatOverlapAreOne() throws {
        var iovas = IOVAAllocator(
            windows: [Self.range(0x1000_2000, 0x1000_3fff), Self.range(0x1000_0000, 0x1000_2fff), Self.range(0x1000_4000, 0x1000_4fff)])
        let free = iovas.freeRanges
        #expect(free == [Self.range(0x1000_0000, 0x1000_4fff)])
        let first = try Self.take(0x3000, 0x1000, &iovas)
        let second = try Self.take(0x2000, 0x1000, &iovas)
        #expect(!first.overlaps(second))
    }

    @Test func windowBelowTheLowestAddressGivesNothing() {
        var iovas = IOVAAllocator(windows: [Self.range(0, 0xff_ffff)])
        let free = iovas.freeRanges
        let range = iovas.allocate(byteCount: 1, alignment: 1)
        #expect(free.isEmpty && range == nil)
    }

    /// 39 bits: QEMU's and older Intel IOMMUs; 48: today's. 4 TiB of memory is what no lab has.
    @Test(arguments: [39, 48] as [UInt64], [0, 1, 77, UInt64.max]) func addressesBeginInTheUpperHalfWhateverTheSeed(
        bits: UInt64, seed: UInt64
    ) throws {
        let windows = [Self.range(0, 0xfedf_ffff), Self.range(0xfef0_0000, 1 << bits - 1)]
        var iovas = IOVAAllocator(windows: windows, seed: seed)
        for alignment in [0x1000, 0x20_0000, 0x4000_0000] as [UInt64] {
            let range = try Self.take(0x20_0000, alignment, &iovas)
            #expect(range.start.rawValue >= 1 << (bits - 1) && range.last < 1 << bits)
        }
    }

    @Test func seedsMoveTheBeginningAndRepeatIt() throws {
        let windows = [Self.range(0, 1 << 39 - 1)]
        let starts = try ([1, 2, 1] as [UInt64]).map { seed in
            var iovas = IOVAAllocator(windows: windows, seed: seed)
            return try Self.take(0x1000, 0x1000, &iovas).start
        }
        #expect(starts[0] == starts[2] && starts[0] != starts[1])
    }

    @Test func whatLiesBelowIsUsedWhenTheUpperHalfIsFull() throws {
        var iovas = IOVAAllocator(windows: [Self.range(0x1000_0000, 0x1fff_ffff), Self.range(0x4000_0000, 0x4fff_ffff)])
        let upper = try Self.take(0x1000_0000, 0x1000, &iovas)
        let lower = try Self.take(0x1000_0000, 0x1000, &iovas)
        #expect(upper.start == IOVA(0x4000_0000) && lower.start == IOVA(0x1000_0000))
    }

    @Test func releasingTwiceTraps() async {
        await #expect(processExitsWith: .failure) {
            var iovas = IOVAAllocator(windows: [IOVARange(first: 1 << 24, last: 1 << 30)!])
            let range = iovas.allocate(byteCount: 4096, alignment: 4096)!
            iovas.release(range)
            iovas.release(range)
        }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>) func randomOrdersNeverOverlapAndGiveAllBack(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let windows = [Self.range(1 << 24, (1 << 24) + 0xf_ffff), Self.range(1 << 32, (1 << 32) + 0x1f_ffff)]
        var iovas = IOVAAllocator(windows: windows)
        let whole = windows.reduce(0) { $0 + $1.byteCount }
        var held: [IOVARange] = []
        for _ in 0..<400 {
            if Bool.random(using: &random), !held.isEmpty {
                iovas.release(held.remove(at: Int.random(in: 0..<held.count, using: &random)))
            } else {
                let count = UInt64.random(in: 1...0x2_0000, using: &random)
                let alignment = UInt64(1) << UInt64.random(in: 0...16, using: &random)
                if let range = iovas.allocate(byteCount: count, alignment: alignment) {
                    #expect(range.byteCount == count && range.start.rawValue % alignment == 0, "seed \(seed)")
                    #expect(windows.contains { $0.contains(range) }, "seed \(seed)")
                    #expect(!held.contains { $0.overlaps(range) }, "seed \(seed)")
                    held.append(range)
                }
            }
            let free = iovas.freeRanges.reduce(0) { $0 + $1.byteCount }
            #expect(free + held.reduce(0) { $0 + $1.byteCount } == whole, "seed \(seed)")
        }
        for range in held { iovas.release(range) }
        let free = iovas.freeRanges
        #expect(free == windows, "seed \(seed)")
    }
}
