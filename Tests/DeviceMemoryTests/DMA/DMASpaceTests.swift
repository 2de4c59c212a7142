import DeviceMemory
import Testing

@Suite struct DMASpaceTests {
    let memory = TestMemory(byteCount: 0x10000)
    let space = DMASpace()

    func map(_ first: UInt64, _ count: Int, at offset: Int, _ access: DMAAccess = .readWrite) throws {
        let range = try #require(IOVARange(start: IOVA(first), byteCount: UInt64(count)))
        try space.map(range, to: memory.window.slice(at: offset, byteCount: count), access: access)
    }

    func read(_ iova: UInt64, _ count: Int) -> [UInt8]? {
        let target = TestMemory(byteCount: max(count, 1))
        return space.read(IOVA(iova), byteCount: count, to: target.window, at: 0) ? target.window.bytes(at: 0, byteCount: count) : nil
    }

    func write(_ bytes: [UInt8], _ iova: UInt64) -> Bool {
        let source = TestMemory(byteCount: max(bytes.count, 1))
        source.window.store(bytes, at: 0)
        return space.write(IOVA(iova), byteCount: bytes.count, from: source.window, at: 0)
    }

    @Test func mappedBytesAreReachedAndOthersNot() throws {
        try map(0x1000, 0x1000, at: 0)
        #expect(write([1, 2, 3], 0x1ffd))
        #expect(memory.window.bytes(at: 0xffd, byteCount: 3) == [1, 2, 3])
        #expect(read(0x1ffd, 3) == [1, 2, 3])
        #expect(read(0xfff, 1) == nil && read(0x2000, 1) == nil && read(0x1fff, 2) == nil && read(0xfff, 2) == nil)
    }

    @Test(arguments: [(0x1000, 0x1000), (0x1fff, 2), (0x800, 0x801), (0x1400, 0x10), (0x800, 0x4000)] as [(UInt64, Int)])
    func overlappingMapIsRefusedAndChangesNothing(first: UInt64, count: Int) throws {
        try map(0x1000, 0x1000, at: 0)
        let old = try #require(IOVARange(start: IOVA(0x1000), byteCount: 0x1000))
        #expect(throws: DMASpace.MapError.overlaps(old)) { try map(first, count, at: 0x2000) }
        #expect(space.count == 1)
        #expect(translated(0x1000, 0x1000) == 0x1000)
    }

    func translated(_ iova: UInt64, _ count: Int, _ access: DMAAccess = .read) -> Int? {
        space.translate(IOVA(iova), byteCount: count, access: access)?.byteCount
    }

    @Test func unmapThatWouldSplitAnEntryIsRefusedAndRemovesNothing() throws {
        try map(0x1000, 0x1000, at: 0)
        try map(0x2000, 0x1000, at: 0x1000)
        for (first, count) in [(0x1000, 0x800), (0x1800, 0x800), (0x1400, 0x10), (0x1000, 0x1800), (0x1800, 0x1800)] as [(UInt64, UInt64)] {
            let range = try #require(IOVARange(start: IOVA(first), byteCount: count))
            #expect(space.unmap(range) == nil && space.count == 2)
        }
    }

    @Test func onlyWhatRemovesSomethingCountsAsARemoval() throws {
        try map(0x1000, 0x1000, at: 0)
        try map(0x3000, 0x1000, at: 0x1000)
        #expect(space.removals == 0)
        let nothing = try #require(IOVARange(start: IOVA(0x8000), byteCount: 0x1000))
        #expect(space.unmap(nothing)?.isEmpty == true && space.removals == 0)
        let first = try #require(IOVARange(start: IOVA(0x1000), byteCount: 0x1000))
        #expect(space.unmap(first)?.count == 1 && space.removals == 1)
        #expect(space.unmapAll() == 1 && space.removals == 2)
    }

    @Test func unmapRemovesAllInsideAndMayFindNothing() throws {
        try map(0x1000, 0x1000, at: 0)
        try map(0x3000, 0x1000, at: 0x1000)
        try map(0x9000, 0x1000, at: 0x2000)
        let low = try #require(IOVARange(first: 0, last: 0x7fff))
        #expect(space.unmap(low)?.map(\.range.start) == [IOVA(0x1000), IOVA(0x3000)])
        #expect(space.unmap(low)?.isEmpty == true)
        #expect(read(0x1000, 1) == nil && read(0x9000, 1) != nil)
        #expect(space.mappedByteCount == 0x1000)
    }

    @Test func transfersSpanNeighboursButNotGaps() throws {
        try map(0x1000, 0x1000, at: 0x4000)
        try map(0x2000, 0x1000, at: 0)
        try map(0x4000, 0x1000, at: 0x8000)
        let pattern = (0..<0x1800).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        #expect(write(pattern, 0x1400))
        #expect(read(0x1400, 0x1800) == pattern)
        #expect(memory.window.bytes(at: 0x4400, byteCount: 0xc00) + memory.window.bytes(at: 0, byteCount: 0xc00) == pattern)
        #expect(read(0x2800, 0x1801) == nil)
        #expect(translated(0x1400, 0x1800) == nil)
    }

    @Test func accessIsCheckedOnEveryPiece() throws {
        try map(0x1000, 0x1000, at: 0, .readWrite)
        try map(0x2000, 0x1000, at: 0x1000, .read)
        try map(0x3000, 0x1000, at: 0x2000, .write)
        #expect(read(0x1fff, 2) != nil && !write([1, 2], 0x1fff))
        #expect(write([1], 0x3000) && read(0x3000, 1) == nil && read(0x2fff, 2) == nil)
        #expect(translated(0x2000, 1, .readWrite) == nil && translated(0x1000, 1, .readWrite) == 1)
        #expect(memory.window.load8(at: 0x1000) == 0)
    }

    @Test func lastBytesOfTheAddressSpaceWork() throws {
        try map(UInt64.max - 0xfff, 0x1000, at: 0)
        #expect(write([9], .max) && read(.max, 1) == [9])
        #expect(read(.max, 2) == nil)
        #expect(translated(.max, 1) == 1 && translated(.max, 2) == nil)
    }

    @Test(arguments: [0, -1, Int.min]) func noBytesTouchNothing(count: Int) throws {
        try map(0x1000, 0x1000, at: 0)
        #expect(translated(0x1000, count) == nil)
        #expect(space.read(IOVA(0x5000), byteCount: count, to: memory.window, at: 0))
    }

    @Test func enormousCountsAreFaults() throws {
        try map(0x1000, 0x1000, at: 0)
        #expect(translated(0x1000, .max) == nil)
        let target = TestMemory(byteCount: 0x1000)
        #expect(!space.read(IOVA(0x1001), byteCount: 0x1000, to: target.window, at: 0))
    }

    @Test func wrongSizeAndTooManyAreRefused() throws {
        let small = DMASpace(maximumEntries: 2)
        let range = try #require(IOVARange(start: IOVA(0), byteCount: 16))
        #expect(throws: DMASpace.MapError.sizeMismatch) {
            try small.map(range, to: memory.window.slice(at: 0, byteCount: 15), access: .read)
        }
        for index in 0..<3 as Range<UInt64> {
            let range = try #require(IOVARange(start: IOVA(index * 16), byteCount: 16))
            let window = memory.window.slice(at: 0, byteCount: 16)
            if index < 2 {
                try small.map(range, to: window, access: .read)
            } else {
                #expect(throws: DMASpace.MapError.tooMany(limit: 2)) { try small.map(range, to: window, access: .read) }
            }
        }
        #expect(small.unmapAll() == 2 && small.count == 0)
    }

    @Test func reservedRangeIsTakenAndNothingIsReachedInIt() throws {
        let range = try #require(IOVARange(start: IOVA(0x2000), byteCount: 0x1000))
        try space.reserve(range)
        try map(0x1000, 0x1000, at: 0)
        #expect(!space.isFree(range) && space.count == 2 && space.mappedByteCount == 0x1000)
        #expect(throws: DMASpace.MapError.overlaps(range)) { try map(0x2fff, 1, at: 0) }
        #expect(translated(0x2000, 1) == nil && translated(0x2000, 1, []) == nil)
        #expect(read(0x1fff, 2) == nil && !write([1], 0x2000))
        #expect(space.unmap(range)?.map(\.isReserved) == [true] && space.isFree(range))
        #expect(space.mappedByteCount == 0x1000)
    }

    @Test func entriesComeBackWithTheirTags() throws {
        for tag in 0..<3 as Range<UInt32> {
            let range = try #require(IOVARange(start: IOVA(UInt64(tag) * 16), byteCount: 16))
            try space.map(range, to: memory.window.slice(at: 0, byteCount: 16), access: .read, tag: tag + 7)
        }
        let all = try #require(IOVARange(first: 0, last: .max - 1))
        #expect(space.unmap(all)?.map(\.tag) == [7, 8, 9])
    }

    /// More of them than are remembered, met in turn and again after each was replaced by another one.
    @Test func entryThatWasReplacedIsNotFoundAnyMore() throws {
        for round in 0..<4 {
            for page in 0..<6 { try map(UInt64(page) << 12, 16, at: (page + round) * 16) }
            for page in 0..<6 { #expect(write([UInt8(page)], UInt64(page) << 12)) }
            for page in 0..<6 { #expect(memory.window.load8(at: (page + round) * 16) == UInt8(page)) }
            let low = try #require(IOVARange(first: 0, last: 0x2fff)), high = try #require(IOVARange(first: 0x3000, last: 0x5fff))
            #expect(space.unmap(low)?.count == 3)
            #expect(translated(0x2000, 1) == nil && translated(0x3000, 1) == 1)
            #expect(space.unmap(high)?.count == 3)
            #expect(translated(0x5000, 1) == nil)
        }
    }

    /// Pages that lie scattered are shown as one window; it goes when anything is unmapped.
    @Test func aRangeInSeveralEntriesIsOneWindow() throws {
        try map(0x3000, 0x1000, at: 0x4000)
        try map(0x4000, 0x1000, at: 0x1000)
        try map(0x5000, 0x2000, at: 0x8000)
        try map(0x7000, 0x1000, at: 0, .read)
        #expect(space.translate(IOVA(0x3800), byteCount: 0x2000, access: .readWrite) == nil)
        let window = try #require(space.window(IOVA(0x3800), byteCount: 0x2000, access: .readWrite))
        window.store([1, 2], at: 0x7ff)
        window.store32(7, at: 0x1800)
        #expect(memory.window.load8(at: 0x4fff) == 1 && memory.window.load8(at: 0x1000) == 2 && memory.window.load32(at: 0x8000) == 7)
        memory.window.store8(9, at: 0x87ff)
        #expect(window.load8(at: 0x1fff) == 9)
        // Without permission for all of it, with a hole in it, beyond the end, and too large.
        #expect(space.window(IOVA(0x6000), byteCount: 0x2000, access: .readWrite) == nil)
        #expect(space.window(IOVA(0x6000), byteCount: 0x2000, access: .read) != nil)
        #expect(space.window(IOVA(0x2800), byteCount: 0x1000, access: .read) == nil)
        #expect(space.window(IOVA(0x7800), byteCount: 0x1000, access: .read) == nil)
        #expect(space.window(IOVA(.max - 0xfff), byteCount: 0x2000, access: .read) == nil)
        let gone = try #require(IOVARange(start: IOVA(0x4000), byteCount: 0x1000))
        _ = space.unmap(gone)
        #expect(space.window(IOVA(0x3800), byteCount: 0x2000, access: .readWrite) == nil)
    }
}
