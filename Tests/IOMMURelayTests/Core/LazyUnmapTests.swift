import DeviceMemory
import Testing

@testable import IOMMURelay

/// UNMAPs that are answered before they are carried out: for how long, and what ends it early.
@Suite struct LazyUnmapTests {
    private let mapper = FakeMapper()
    private let core: IOMMUCore

    init() throws {
        core = IOMMUCore(limits: .init(mappings: 8), lazyUnmap: LazyUnmap(mappings: 4, milliseconds: 10))
        try core.add(endpoint: 1, group: "1", back: FakeBack(sharing: mapper))
        core.attach(1, 1)
        for page in 0..<6 as Range<UInt64> { core.map(1, page << 12, page << 12 + 0xfff, to: page << 12) }
    }

    private func unmap(_ pages: ClosedRange<UInt64>) -> IOMMUStatus {
        core.unmap(1, pages.lowerBound << 12, pages.upperBound << 12 + 0xfff)
    }

    @Test func unmapsAreCarriedOutTogetherWhenTheirTimeHasCome() throws {
        mapper.calls = []
        #expect(unmap(0...0) == .ok && unmap(2...2) == .ok && unmap(1...1) == .ok && mapper.calls.isEmpty && core.hasDeferredWork)
        #expect(core.statistics.mappings == 3 && core.statistics.lateMappings == 3 && core.statistics.lateBytes == 0x3000)
        core.carryOutDeferred(at: 5_000_000)
        core.carryOutDeferred(at: 14_999_999)
        #expect(mapper.calls.isEmpty)
        core.carryOutDeferred(at: 15_000_000)
        #expect(mapper.calls == [.unmap(try #require(IOVARange(first: 0, last: 0x2fff)))])
        #expect(!core.hasDeferredWork && core.statistics.lateBytes == 0)
    }

    @Test func numberIsBounded() {
        for page in 0..<4 as Range<UInt64> { #expect(unmap(page...page) == .ok) }
        #expect(mapper.pieces.count == 6)
        #expect(unmap(4...4) == .ok && mapper.pieces.count == 2)
        // Too many at once: at once.
        for page in 0..<4 as Range<UInt64> { core.map(1, page << 12, page << 12 + 0xfff) }
        #expect(unmap(0...5) == .ok && mapper.pieces.isEmpty && core.statistics.lateMappings == 0 && mapper.complaints.isEmpty)
    }

    private static let ends: [(IOMMURequest, IOMMUStatus)] = [
        (.map(domain: 1, first: 0, last: 0xfff, physical: GuestPhysicalAddress(0x9000), flags: 3), .ok),
        (.attach(endpoint: 1, domain: 2, flags: 0), .ok), (.detach(endpoint: 1, domain: 1), .ok),
    ]

    @Test(arguments: ends) func whatIsInTheWayIsCarriedOutFirst(request: IOMMURequest, status: IOMMUStatus) {
        #expect(unmap(0...1) == .ok && core.run(request) == status)
        #expect(!core.hasDeferredWork && mapper.complaints.isEmpty)
    }

    /// The host never holds more than it may.
    @Test func limitsCountWhatIsLate() {
        for page in 6..<8 as Range<UInt64> { core.map(1, page << 12, page << 12 + 0xfff) }
        #expect(unmap(0...1) == .ok && mapper.pieces.count == 8)
        #expect(core.map(1, 0x20000, 0x20fff) == .ok && mapper.pieces.count == 7)
    }

    @Test func resetAndUnplugLeaveNothing() {
        #expect(unmap(0...1) == .ok)
        core.reset()
        #expect(!core.hasDeferredWork && mapper.pieces.isEmpty)
        core.attach(1, 1)
        core.map(1, 0, 0xfff)
        #expect(unmap(0...0) == .ok)
        core.remove(endpoint: 1)
        #expect(!core.hasDeferredWork && mapper.pieces.isEmpty && core.statistics.domains == 0)
    }
}
