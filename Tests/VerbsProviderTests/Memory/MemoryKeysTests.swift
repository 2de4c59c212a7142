import Testing

@testable import VerbsProvider

@Suite struct MemoryKeysTests {
    private func add(_ keys: inout MemoryKeys, base: UInt64 = 0x1000, access: MemoryAccess = .localWrite) throws -> UInt32 {
        let key = keys.add(domain: 7, address: 0x1000, byteCount: 100, base: base, access: access)
        return try #require(key)
    }

    @Test(arguments: [(0x1000, 100), (0x1063, 1), (0x1010, 5)] as [(UInt64, UInt32)])
    func whatLiesInsideIsGiven(address: UInt64, count: UInt32) throws {
        var keys = MemoryKeys()
        let key = try add(&keys)
        let piece = keys.piece(address: address, byteCount: count, key: key, domain: 7, writes: true)
        #expect(piece?.address == UInt(address) && piece?.byteCount == Int(count))
    }

    @Test(
        arguments: [
            (0x1000, 101), (0xfff, 1), (0xfff, 2), (0x1064, 1), (0x1063, 2), (.max, 1), (0, 1), (0x1000 &- 1 << 63, 1), (0x1001, .max),
        ] as [(UInt64, UInt32)])
    func whatLiesOutsideIsNot(address: UInt64, count: UInt32) throws {
        var keys = MemoryKeys()
        let key = try add(&keys)
        #expect(keys.piece(address: address, byteCount: count, key: key, domain: 7, writes: false) == nil)
    }

    @Test func anotherBaseIsTakenOff() throws {
        var keys = MemoryKeys()
        let key = try add(&keys, base: 0)
        #expect(keys.piece(address: 99, byteCount: 1, key: key, domain: 7, writes: false)?.address == 0x1063)
        #expect(keys.piece(address: 0x1000, byteCount: 1, key: key, domain: 7, writes: false) == nil)
    }

    @Test func keyDomainAndAccessAreLookedAt() throws {
        var keys = MemoryKeys()
        let key = try add(&keys, access: [])
        #expect(keys.piece(address: 0x1000, byteCount: 1, key: key, domain: 7, writes: false) != nil)
        #expect(keys.piece(address: 0x1000, byteCount: 1, key: key, domain: 7, writes: true) == nil)
        #expect(keys.piece(address: 0x1000, byteCount: 1, key: key, domain: 8, writes: false) == nil)
        #expect(keys.piece(address: 0x1000, byteCount: 1, key: key ^ 1, domain: 7, writes: false) == nil)
        #expect(keys.piece(address: 0x1000, byteCount: 1, key: key | 0xffff_0000, domain: 7, writes: false) == nil)
        #expect(keys.piece(address: 0, byteCount: 0, key: 0, domain: 1, writes: true) != nil)
    }

    @Test func aKeyThatIsTakenBackIsNobodys() throws {
        var keys = MemoryKeys()
        let key = try add(&keys)
        keys.remove(key)
        #expect(keys[key] == nil && keys[0] == nil && keys.count == 0)
        keys.remove(key)
        let next = try add(&keys)
        #expect(next >> 16 == key >> 16 && keys.count == 1)
        var seen = 0
        keys.forEach(in: 7) { if $0.key == next { seen += 1 } }
        keys.forEach(in: 8) { _ in seen += 10 }
        #expect(seen == 1)
    }

    @Test func thereIsALimit() {
        var keys = MemoryKeys()
        for _ in 0..<MemoryKeys.capacity { _ = keys.add(domain: 1, address: 0, byteCount: 0, base: 0, access: []) }
        #expect(keys.add(domain: 1, address: 0, byteCount: 0, base: 0, access: []) == nil)
    }

    @Test func remoteRightsNeedBothRegionAndQueuePair() {
        let all: MemoryAccess = [.localWrite, .remoteRead, .remoteWrite]
        #expect(all.remote(over: .remoteRead) == .remoteRead)
        #expect(MemoryAccess.remoteWrite.remote(over: all) == .remoteWrite)
        #expect(MemoryAccess.localWrite.remote(over: all).isEmpty)
        #expect(!MemoryAccess.remoteWrite.isConsistent && all.isConsistent && MemoryAccess.remoteRead.isConsistent)
    }
}
