import DeviceMemory
import Testing

@Suite struct MappingTableTests {
    /// What can stand in an expectation.
    final class Table {
        private var table = MappingTable()
        var count: Int { table.count }
        var mappedByteCount: UInt64 { table.mappedByteCount }
        var memoryByteCount: Int { table.memoryByteCount }
        func insert(_ mapping: IOVAMapping) -> Bool { table.insert(mapping) }
        func mapping(holding iova: IOVA) -> IOVAMapping? { table.mapping(holding: iova) }
        func first(overlapping addresses: ClosedRange<IOVA>) -> IOVAMapping? { table.first(overlapping: addresses) }
        func last(overlapping addresses: ClosedRange<IOVA>) -> IOVAMapping? { table.last(overlapping: addresses) }
        func remove(_ addresses: ClosedRange<IOVA>) -> MappingTable.Removal { table.remove(addresses) }
        func removeAll() { table.removeAll() }
        func visit(from iova: IOVA, _ body: (IOVAMapping) -> Bool) { table.visit(from: iova, body) }
    }

    /// A page of each two.
    func page(_ index: UInt64, to physical: UInt64 = 0) -> IOVAMapping {
        mapping(index << 13, index << 13 + 4095, to: physical)
    }

    func mapping(_ first: UInt64, _ last: UInt64, to physical: UInt64 = 0) -> IOVAMapping {
        guard let range = IOVARange(first: first, last: last) else { preconditionFailure("no range \(first) to \(last)") }
        return IOVAMapping(range: range, physical: GuestPhysicalAddress(physical), access: .readWrite)
    }

    @Test func overlappingMappingIsNotInserted() {
        let table = Table()
        #expect(table.insert(mapping(0x1000, 0x2fff)))
        for (first, last) in [(0, 0x1000), (0x2fff, 0x2fff), (0x1800, 0x18ff), (0, .max - 1), (0x1000, 0x2fff)] as [(UInt64, UInt64)] {
            #expect(!table.insert(mapping(first, last)))
        }
        #expect(table.count == 1 && table.mappedByteCount == 0x2000)
        #expect(table.insert(mapping(0x3000, 0x3000)) && table.insert(mapping(0xfff, 0xfff)))
        #expect(table.count == 3 && table.mappedByteCount == 0x2002)
    }

    @Test func mappingsAreFoundByAddressAndByOverlap() {
        let table = Table()
        for index in [9, 3, 5] as [UInt64] { #expect(table.insert(page(index, to: index))) }
        #expect(table.mapping(holding: IOVA(3 << 13 + 4095))?.physical.rawValue == 3)
        #expect(table.mapping(holding: IOVA(3 << 13 + 4096)) == nil && table.mapping(holding: IOVA(0)) == nil)
        let rows: [(UInt64, UInt64, lowest: UInt64?, highest: UInt64?)] = [
            (0, .max, 3, 9), (0, 3 << 13 - 1, nil, nil), (0, 3 << 13, 3, 3), (3 << 13 + 1, 5 << 13, 3, 5), (3 << 13 + 4096, 9 << 13, 5, 9),
            (9 << 13 + 4095, .max, 9, 9), (9 << 13 + 4096, .max, nil, nil),
        ]
        for (first, last, lowest, highest) in rows {
            #expect(table.first(overlapping: IOVA(first)...IOVA(last))?.physical.rawValue == lowest)
            #expect(table.last(overlapping: IOVA(first)...IOVA(last))?.physical.rawValue == highest)
        }
    }

    @Test func removalTakesWholeMappingsOrNone() {
        let table = Table()
        for index in 0..<10 as Range<UInt64> { #expect(table.insert(page(index))) }
        #expect(table.remove(IOVA(1)...IOVA(.max)) == .cut(page(0)))
        #expect(table.remove(IOVA(0)...IOVA(9 << 13)) == .cut(page(9)))
        #expect(table.remove(IOVA(4096)...IOVA(4097)) == .removed([]))
        #expect(table.count == 10)
        #expect(table.remove(IOVA(4096)...IOVA(3 << 13 - 1)) == .removed([page(1), page(2)]))
        #expect(table.count == 8 && table.mappedByteCount == 8 << 12)
        #expect(table.remove(IOVA(0)...IOVA(.max)) == .removed(([0] + Array(3..<10)).map { page($0) }))
        #expect(table.count == 0 && table.mappedByteCount == 0)
    }

    @Test func wholeAddressSpaceInTwoHalvesIsOneRemoval() {
        let table = Table()
        let halves = [mapping(0, 1 << 63 - 1), mapping(1 << 63, .max)]
        for half in halves { #expect(table.insert(half)) }
        #expect(!table.insert(mapping(.max, .max)))
        #expect(table.remove(IOVA(0)...IOVA(.max)) == .removed(halves))
    }

    /// A million in release builds.
    #if DEBUG
        let many: UInt64 = 200_000
    #else
        let many: UInt64 = 1_000_000
    #endif

    @Test func manyMappingsAreSmallAndSeenInOrderByParts() throws {
        let table = Table()
        for index in 0..<1 << 20 as Range<UInt64> {
            let scattered = index &* 0x9_e377 & (1 << 20 - 1)
            if scattered < many, !table.insert(page(scattered, to: scattered)) { Issue.record("\(scattered) was there") }
        }
        #expect(table.count == Int(many))
        #expect(table.memoryByteCount <= 120 * table.count, "\(table.memoryByteCount / table.count) bytes a mapping")
        var (next, seen) = (IOVA(0), 0 as UInt64)
        var isInOrder = true
        while seen < many {
            var left = 777
            table.visit(from: next) { mapping in
                isInOrder = isInOrder && mapping.physical.rawValue == seen
                seen += 1
                next = IOVA(mapping.range.last + 1)
                left -= 1
                return left > 0
            }
            try #require(left < 777, "no progress at \(next)")
        }
        #expect(isInOrder && seen == many)
        table.removeAll()
        #expect(table.count == 0 && table.memoryByteCount < 4096)
        table.visit(from: IOVA(0)) { _ in
            Issue.record("an empty table shows something")
            return false
        }
    }
}
