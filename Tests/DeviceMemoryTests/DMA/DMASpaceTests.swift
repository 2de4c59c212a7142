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
        #expect(space.unmapAll().count == 1 && space.removals == 2)
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
        #expect(small.unmapAll().count == 2 && small.count == 0)
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>) func agreesWithANaiveMap(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let space = DMASpace(maximumEntries: 24)
        var model = NaiveMap()
        let memory = TestMemory(byteCount: 4096)
        var mirror = (0..<4096).map { _ in UInt8.random(in: 0...255, using: &random) }
        memory.window.store(mirror, at: 0)
        for _ in 0..<600 {
            let base = Bool.random(using: &random) ? 0 : UInt64.max - 1023
            let start = base + UInt64.random(in: 0..<1024, using: &random)
            guard let range = IOVARange(start: IOVA(start), byteCount: UInt64.random(in: 1...200, using: &random)) else { continue }
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                let access = try #require([DMAAccess.read, .write, .readWrite].randomElement(using: &random))
                let offset = Int.random(in: 0...(memory.window.byteCount - 200), using: &random)
                let window = memory.window.slice(at: offset, byteCount: Int(range.byteCount))
                let mapped: Bool
                do { try space.map(range, to: window, access: access); mapped = true } catch { mapped = false }
                #expect(mapped == model.map(range, offset: offset, access, limit: 24), "seed \(seed)")
            case 1:
                #expect(space.unmap(range)?.map(\.range) == model.unmap(range), "seed \(seed)")
            case 2:
                let expected = model.offsets(range, .read).map { $0.map { mirror[$0] } }
                #expect(read(space, range) == expected, "seed \(seed)")
            default:
                let bytes = (0..<range.byteCount).map { _ in UInt8.random(in: 0...255, using: &random) }
                guard let offsets = model.offsets(range, .write) else {
                    // What was copied before the fault is inside of the mapped part, and the mirror follows it.
                    #expect(!write(space, bytes, range), "seed \(seed)")
                    mirror = memory.window.bytes(at: 0, byteCount: memory.window.byteCount)
                    continue
                }
                #expect(write(space, bytes, range), "seed \(seed)")
                for (offset, byte) in zip(offsets, bytes) { mirror[offset] = byte }
                #expect(memory.window.bytes(at: 0, byteCount: mirror.count) == mirror, "seed \(seed)")
            }
            #expect(space.count == model.entries.count, "seed \(seed)")
        }
    }

    func read(_ space: DMASpace, _ range: IOVARange) -> [UInt8]? {
        let count = Int(range.byteCount)
        let target = TestMemory(byteCount: count)
        return space.read(range.start, byteCount: count, to: target.window, at: 0) ? target.window.bytes(at: 0, byteCount: count) : nil
    }

    func write(_ space: DMASpace, _ bytes: [UInt8], _ range: IOVARange) -> Bool {
        let source = TestMemory(byteCount: bytes.count)
        source.window.store(bytes, at: 0)
        return space.write(range.start, byteCount: bytes.count, from: source.window, at: 0)
    }
}

/// The same rules written as plainly as possible.
struct NaiveMap {
    var entries: [(range: IOVARange, offset: Int, access: DMAAccess)] = []

    mutating func map(_ range: IOVARange, offset: Int, _ access: DMAAccess, limit: Int) -> Bool {
        guard entries.count < limit, !entries.contains(where: { $0.range.overlaps(range) }) else { return false }
        entries.append((range, offset, access))
        return true
    }

    mutating func unmap(_ range: IOVARange) -> [IOVARange]? {
        let touched = entries.filter { $0.range.overlaps(range) }.map(\.range).sorted { $0.start < $1.start }
        guard touched.allSatisfy({ range.contains($0) }) else { return nil }
        entries.removeAll { range.contains($0.range) }
        return touched
    }

    func offsets(_ range: IOVARange, _ access: DMAAccess) -> [Int]? {
        var result: [Int] = []
        for index in 0..<range.byteCount {
            let at = range.start.rawValue + index
            let entry = entries.first { $0.range.start.rawValue <= at && at <= $0.range.last && $0.access.isSuperset(of: access) }
            guard let entry else { return nil }
            result.append(entry.offset + Int(at - entry.range.start.rawValue))
        }
        return result
    }
}
