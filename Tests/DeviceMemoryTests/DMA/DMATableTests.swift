import DeviceMemory
import Testing

/// Sizes at which a table has several levels.
@Suite struct DMATableTests {
    let memory = TestMemory(byteCount: 4096)
    let space = DMASpace(maximumEntries: 1_000_000)

    /// Mapping number `index` of many: a page of each two.
    func range(_ index: UInt64) throws -> IOVARange { try #require(IOVARange(start: IOVA(index << 13), byteCount: 4096)) }

    func map(_ indices: some Sequence<UInt64>) throws {
        for index in indices { try space.map(range(index), to: memory.window, access: .readWrite, tag: UInt32(index)) }
    }

    /// A million in release builds; debug builds take 40 s for so many.
    #if DEBUG
        let many: UInt64 = 60_000
    #else
        let many: UInt64 = 1_000_000
    #endif

    @Test func manyMappingsComeAndGo() throws {
        let count = many
        // An odd factor is a permutation of the numbers below a power of two.
        let scattered = (0..<1 << 20 as Range<UInt64>).lazy.map { $0 &* 0x9_e377 & (1 << 20 - 1) }.filter { $0 < count }
        try map(scattered)
        #expect(space.count == Int(count) && space.mappedByteCount == count << 12)
        #expect(space.tableByteCount <= 120 * space.count, "\(space.tableByteCount / space.count) bytes a mapping")
        var misses = 0
        for index in 0..<count {
            let address = IOVA((index &* 7919 % count) << 13)
            if space.translate(address, byteCount: 4096, access: .read) == nil { misses += 1 }
            if space.translate(IOVA(address.rawValue + 4096), byteCount: 1, access: .read) != nil { misses += 1 }
        }
        #expect(misses == 0)
        for first in stride(from: 0, to: count, by: 10_000) {
            let window = try #require(IOVARange(first: first << 13, last: (first + 10_000) << 13 - 1))
            #expect(space.unmap(window)?.count == 10_000)
        }
        #expect(space.count == 0 && space.mappedByteCount == 0 && space.tableByteCount < 4096)
    }

    enum Order: CaseIterable { case ascending, descending, outsideIn, scattered }

    @Test(arguments: Order.allCases) func everyOrderOfMappingAndUnmappingKeepsTheTableSmall(order: Order) throws {
        let count: UInt64 = 6000
        let indices: [UInt64] =
            switch order {
            case .ascending: Array(0..<count)
            case .descending: (0..<count).reversed()
            case .outsideIn: (0..<count).map { $0 & 1 == 0 ? $0 / 2 : count - 1 - $0 / 2 }
            case .scattered: (0..<count).map { $0 &* 7919 % count }
            }
        try map(indices)
        for (gone, index) in indices.enumerated() {
            #expect(space.unmap(try range(index))?.map(\.tag) == [UInt32(index)])
            if gone % 100 == 0 { #expect(space.tableByteCount <= 100 * space.count + 16384, "\(space.count) left") }
        }
        #expect(space.count == 0 && space.tableByteCount < 4096)
    }

    /// Few entries in each of many blocks, block after block: neighbours below different parents come together.
    @Test func sparseSurvivorsGiveTheMemoryBack() throws {
        try map(0..<100_000)
        for first in stride(from: 0, to: 100_000 as UInt64, by: 200) {
            let window = try #require(IOVARange(first: (first + 1) << 13, last: (first + 200) << 13 - 1))
            #expect(space.unmap(window)?.count == 199)
        }
        #expect(space.count == 500 && space.tableByteCount <= 100 * 500 + 16384)
        for first in stride(from: 0, to: 100_000 as UInt64, by: 200) {
            #expect(space.translate(IOVA(first << 13), byteCount: 4096, access: .write)?.byteCount == 4096)
        }
    }

    @Test func wholeSpaceUnmapsOfFewEntriesReturnThemInOrder() throws {
        let all = try #require(IOVARange(first: 0, last: .max - 1))
        #expect(space.unmap(all)?.isEmpty == true)
        for round in 1...200 as ClosedRange<UInt64> {
            try map(stride(from: round * 3, to: 0, by: -1))
            #expect(space.unmap(all)?.map(\.tag) == (1...UInt32(round * 3)).map { $0 })
        }
        #expect(space.count == 0)
    }

    @Test func unmapThatCutsTheFirstOrTheLastOfManyRemovesNothing() throws {
        try map(0..<1000)
        for (first, last) in [(1, 999 << 13), ((10 << 13) + 1, 20 << 13 - 1), (10 << 13, 20 << 13)] as [(UInt64, UInt64)] {
            let window = try #require(IOVARange(first: first, last: last))
            #expect(space.unmap(window) == nil && space.count == 1000)
        }
        let justInside = try #require(IOVARange(first: (10 << 13) + 4096, last: 20 << 13 - 1))
        #expect(space.unmap(justInside)?.map(\.tag) == (11..<20).map { $0 })
    }
}
