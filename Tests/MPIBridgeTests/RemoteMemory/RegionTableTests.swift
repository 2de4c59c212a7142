import Testing

@testable import MPIBridge

@Suite struct RegionTableTests {
    @Test(
        arguments: [
            (0, 100, true), (100, 0, true), (99, 1, true), (0, 0, true), (0, 101, false), (1, 100, false), (101, 0, false),
            (.max, 1, false), (.max, .max, false), (1, .max, false), (.max - 99, 100, false), (1 << 63, 1 << 63, false),
        ] as [(UInt64, UInt64, Bool)])
    func boundsHoldForAnyNumbers(offset: UInt64, byteCount: UInt64, isInside: Bool) {
        let memory = TestBytes(count: 100)
        var table = RegionTable()
        let didAdd = table.add(memory.application, key: 5, access: .remoteRead, base: 0)
        #expect(didAdd)
        let part = table.part(5, offset: offset, byteCount: byteCount, for: .remoteRead, by: 3)
        #expect((part != nil) == isInside)
        if byteCount > 0, isInside { #expect(part?.firstAddress == memory.address + UInt(offset) && part?.byteCount == Int(byteCount)) }
        #expect(table.part(5, offset: 0, byteCount: 1, for: .remoteWrite, by: 3) == nil)
        #expect(table.part(6, offset: 0, byteCount: 1, for: .remoteRead, by: 3) == nil)
        let outcomes = [table.add(memory.application, key: 5, access: .remoteRead, base: 0), table.remove(5), table.remove(5)]
        #expect(outcomes == [false, true, false])
        #expect(table.part(5, offset: 0, byteCount: 1, for: .remoteRead, by: 3) == nil)
    }

    @Test func aRegionOfOnePeerIsNobodyElses() {
        let memory = TestBytes(count: 100)
        var table = RegionTable()
        let didAdd = table.add(memory.application, key: 5, access: [.remoteRead, .remoteWrite], peer: PeerID(index: 3))
        #expect(didAdd)
        for access in [.remoteRead, .remoteWrite, [.remoteRead, .remoteWrite]] as [RegionAccess] {
            #expect(table.part(5, offset: 0, byteCount: 1, for: access, by: 3) != nil)
            #expect(table.part(5, offset: 0, byteCount: 1, for: access, by: 4) == nil)
            #expect(table.part(5, offset: 0, byteCount: 0, for: access, by: .max) == nil)
        }
    }
}
