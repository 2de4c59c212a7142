import DeviceMemory
import IOMMURelay
import Testing

@testable import HostBack

@Suite("A guest's mappings in an address space of the host") struct HostMappingsTests {
    let space = ScriptedSpace()
    let bench: GuestBench
    let mappings: HostMappings<ScriptedSpace>

    init() throws {
        bench = try GuestBench()
        mappings = HostMappings(space, guest: bench.guest)
    }

    private func expectNotMappable(_ piece: IOVAMapping, _ location: SourceLocation = #_sourceLocation) {
        let error = #expect(throws: HostMapperError.self, sourceLocation: location) { try mappings.map(piece) }
        guard case .notMappable = error else { Issue.record("\(String(describing: error))", sourceLocation: location); return }
        #expect(space.mapped.isEmpty && mappings.isEmpty, sourceLocation: location)
    }

    @Test func aMappingAcrossTwoPiecesOfMemoryIsTwoOfTheHosts() throws {
        try mappings.map(mapping(0x4000_0000, 0x4000_1fff, to: 0xf_f000))
        #expect(
            space.mapped == [
                .init(range: range(0x4000_0000, 0x4000_0fff), processAddress: bench.address(0x1f_f000), access: .readWrite),
                .init(range: range(0x4000_1000, 0x4000_1fff), processAddress: bench.address(0), access: .readWrite),
            ])
        mappings.unmap(range(0x4000_0000, 0x4000_1fff))
        #expect(space.mapped.isEmpty && mappings.isEmpty)
    }

    @Test func whatIsNoMemoryOfTheGuestIsNotMapped() {
        expectNotMappable(mapping(0x1000, 0x1fff, to: 0x20_0000))
        // Its end is not, its begin is not, a hole is in it, all of it wraps.
        expectNotMappable(mapping(0x1000, 0x2fff, to: 0x1f_f000))
        expectNotMappable(mapping(0x1000, 0x2fff, to: 0x7f_f000))
        expectNotMappable(mapping(0x100_0000, 0x180_ffff, to: 0))
        expectNotMappable(mapping(0x1000, 0x2fff, to: .max - 0xfff))
    }

    @Test func permissionsAreTheGuestsAndTheMemorys() throws {
        try mappings.map(mapping(0x1000, 0x1fff, to: 0, .read))
        try mappings.map(mapping(0x2000, 0x2fff, to: 0, .write))
        try mappings.map(mapping(0x3000, 0x3fff, to: 0x80_0000, .readWrite))
        #expect(space.mapped.map(\.access) == [.read, .write, .read])
        #expect(throws: HostMapperError.self) { try mappings.map(mapping(0x4000, 0x4fff, to: 0x80_0000, .write)) }
    }

    @Test(
        arguments: [
            (12, "noMemory"), (28, "noMemory"), (22, "notMappable"), (34, "notMappable"), (17, "notMappable"), (14, "failed"),
            (5, "failed"),
        ] as [(Int32, String)])
    func errorsOfTheHostAreWhatTheGuestIsTold(errno: Int32, kind: String) throws {
        space.fail(map: 2, .init(rawValue: errno))
        let error = #expect(throws: HostMapperError.self) { try mappings.map(mapping(0x4000_0000, 0x4000_1fff, to: 0xf_f000)) }
        let found =
            switch error {
            case .noMemory: "noMemory"
            case .notMappable: "notMappable"
            case .failed: "failed"
            case nil: "nothing"
            }
        #expect(found == kind)
        // What came before the refusal is gone.
        #expect(space.mapped.isEmpty && mappings.isEmpty)
        try mappings.map(mapping(0x4000_0000, 0x4000_1fff, to: 0xf_f000))
        #expect(space.mapped.count == 2)
    }

    @Test func oneUnmapTakesSeveralAndTheHolesBetween() throws {
        for first in [UInt64(0x1000), 0x3000, 0x6000] { try mappings.map(mapping(first, first + 0xfff, to: first)) }
        mappings.unmap(range(0x1000, 0x3fff))
        #expect(space.mapped.map(\.range) == [range(0x6000, 0x6fff)])
        #expect(space.state.withLock { $0.unmaps } == 1)
        mappings.unmapAll()
        #expect(space.mapped.isEmpty && mappings.isEmpty)
    }

    @Test func anUnmapThatTheHostRefusesBeginsTheSpaceAnew() throws {
        for first in [UInt64(0x1000), 0x3000] { try mappings.map(mapping(first, first + 0xfff, to: first)) }
        space.state.withLock { $0.refusesUnmaps = true }
        mappings.unmap(range(0x1000, 0x1fff))
        #expect(space.mapped.map(\.range) == [range(0x3000, 0x3fff)])
    }

    @Test func memoryThatGoesIsUnmappedAndOnlyThat() throws {
        try mappings.map(mapping(0x1000, 0x1fff, to: 0x1000))
        try mappings.map(mapping(0x2000, 0x2fff, to: 0x10_0000))
        try mappings.map(mapping(0x4000_0000, 0x4000_1fff, to: 0xf_f000))
        let mapsBefore = space.state.withLock { $0.maps }
        _ = bench.guest.unmap(GuestBench.high)
        mappings.guestMemoryChanged()
        #expect(space.mapped.map(\.range) == [range(0x1000, 0x1fff)])
        #expect(space.state.withLock { $0.maps } == mapsBefore, "what stayed was not touched")
        // The guest's table has them still; what it unmaps meanwhile is gone for good.
        mappings.unmap(range(0x2000, 0x2fff))
        #expect(mappings.mappingCount == 2)

        try bench.guest.map(GuestBench.high, to: bench.memory.window.slice(at: 0x20_0000, byteCount: 0x10_0000), access: .readWrite)
        mappings.guestMemoryChanged()
        #expect(
            space.mapped == [
                .init(range: range(0x1000, 0x1fff), processAddress: bench.address(0x10_1000), access: .readWrite),
                .init(range: range(0x4000_0000, 0x4000_0fff), processAddress: bench.address(0x1f_f000), access: .readWrite),
                .init(range: range(0x4000_1000, 0x4000_1fff), processAddress: bench.address(0x20_0000), access: .readWrite),
            ])
    }

    @Test func memoryThatMovedIsMappedWhereItIsNow() throws {
        try mappings.map(mapping(0x1000, 0x1fff, to: 0x10_0000))
        _ = bench.guest.unmap(GuestBench.high)
        try bench.guest.map(GuestBench.high, to: bench.memory.window.slice(at: 0x20_0000, byteCount: 0x10_0000), access: .read)
        mappings.guestMemoryChanged()
        #expect(space.mapped == [.init(range: range(0x1000, 0x1fff), processAddress: bench.address(0x20_0000), access: .read)])
        mappings.guestMemoryChanged()
        #expect(space.state.withLock { $0.maps } == 2, "nothing changed: nothing is done")
    }

    @Test func identityFollowsTheGuestsMemory() throws {
        let identity = HostMappings(space, guest: bench.guest, isIdentity: true)
        #expect(try identity.identityStep())
        #expect(space.mapped.map(\.range) == [GuestBench.low, GuestBench.high, GuestBench.rom])
        #expect(space.mapped.map(\.access) == [.readWrite, .readWrite, .read])
        _ = bench.guest.unmap(GuestBench.high)
        identity.guestMemoryChanged()
        #expect(space.mapped.map(\.range) == [GuestBench.low, GuestBench.rom])
        let more = range(0x100_0000, 0x100_0fff)
        try bench.guest.map(more, to: bench.memory.window.slice(at: 0x20_0000, byteCount: 0x1000), access: .readWrite)
        identity.guestMemoryChanged()
        #expect(space.mapped.map(\.range) == [GuestBench.low, GuestBench.rom, more])
    }
}
