import DeviceMemory
import Testing

@testable import IOMMURelay

/// Requests that continue each other reach the host as one, and are taken apart again.
@Suite struct RunTests {
    private static func maps(_ pages: Range<UInt64>, from start: UInt64 = 0, to physical: UInt64 = 0x10_0000) -> [IOMMURequest] {
        pages.map {
            .map(
                domain: 1, first: start + $0 << 12, last: start + $0 << 12 + 0xfff, physical: GuestPhysicalAddress(physical + $0 << 12),
                flags: 3)
        }
    }

    private static func unmaps(_ pages: Range<UInt64>) -> [IOMMURequest] {
        pages.map { .unmap(domain: 1, first: $0 << 12, last: $0 << 12 + 0xfff) }
    }

    private func range(_ first: UInt64, _ last: UInt64) throws -> IOVARange { try #require(IOVARange(first: first, last: last)) }

    private func attached(_ mappers: [FakeMapper], limits: RelayLimits = RelayLimits()) throws -> IOMMUCore {
        let core = IOMMUCore(limits: limits)
        for (id, mapper) in zip(1..., mappers) {
            try core.add(endpoint: UInt32(id), group: "\(id)", back: FakeBack(sharing: mapper))
            core.attach(UInt32(id), 1)
            mapper.calls = []
        }
        return core
    }

    @Test func eightMapsAreOneCall() throws {
        let mapper = FakeMapper()
        let core = try attached([mapper])
        #expect(core.joinsRuns && core.together(Self.maps(0..<8)) == .done(.ok))
        #expect(mapper.calls == [.map(mapping(0, 0x7fff, to: 0x10_0000))])
        let statistics = core.statistics
        #expect(statistics.merges == 7 && statistics.splits == 0)
        #expect(statistics.answers(.map, .ok) == 8 && statistics.mappings == 8 && statistics.mappedBytes == 0x8000)
    }

    /// Pages 0 to 7 are one area. What an UNMAP of some of them makes the host do.
    private static let parts: [(unmapped: ClosedRange<UInt64>, calls: [[UInt64]])] = [
        (0...7, [[0, 7]]), (0...0, [[0, 7], [1, 7]]), (7...7, [[0, 7], [0, 6]]), (3...4, [[0, 7], [0, 2], [5, 7]]),
        (0...20, [[0, 7]]), (2...20, [[0, 7], [0, 1]]),
    ]

    @Test(arguments: parts) func partOfAnAreaGoes(unmapped: ClosedRange<UInt64>, calls: [[UInt64]]) throws {
        let mapper = FakeMapper()
        let core = try attached([mapper])
        #expect(core.together(Self.maps(0..<8)) == .done(.ok))
        mapper.calls = []
        #expect(core.unmap(1, unmapped.lowerBound << 12, unmapped.upperBound << 12 + 0xfff) == .ok)
        let expected = try calls.enumerated().map { index, pages -> FakeMapper.Call in
            let (first, last) = (pages[0] << 12, pages[1] << 12 + 0xfff)
            return index == 0 ? .unmap(try range(first, last)) : .map(mapping(first, last, to: 0x10_0000 + first))
        }
        #expect(mapper.calls == expected && mapper.complaints.isEmpty)
        #expect(core.statistics.splits == (calls.count > 1 ? 1 : 0))
        // What is left can be taken page by page.
        for page in 0..<8 as Range<UInt64> { #expect(core.unmap(1, page << 12, page << 12 + 0xfff) == .ok) }
        #expect(mapper.pieces.isEmpty && mapper.complaints.isEmpty && core.statistics.mappings == 0)
    }

    /// Pieces of two pages: an area is cut where they end, and only they are touched.
    @Test func areasOfManyPiecesAreTouchedAtTheirEndsOnly() throws {
        let mapper = FakeMapper(maximumPieceByteCount: 0x2000)
        let core = try attached([mapper])
        #expect(core.together(Self.maps(1..<8)) == .done(.ok))
        #expect(mapper.pieces.map { $0.range.byteCount } == [0x1000, 0x2000, 0x2000, 0x2000])
        mapper.calls = []
        #expect(core.unmap(1, 0x3000, 0x6fff) == .ok)
        #expect(
            mapper.calls == [
                .unmap(try range(0x2000, 0x3fff)), .map(mapping(0x2000, 0x2fff, to: 0x10_2000)), .unmap(try range(0x6000, 0x7fff)),
                .map(mapping(0x7000, 0x7fff, to: 0x10_7000)), .unmap(try range(0x4000, 0x5fff)),
            ])
        #expect(mapper.complaints.isEmpty && core.statistics.splits == 2)
    }

    @Test func mapperThatGainsNothingHoldsEachByItself() throws {
        let plain = PlainMapper()
        let core = IOMMUCore()
        try core.add(endpoint: 1, group: "1", back: PlainBack(plain))
        core.attach(1, 1)
        #expect(!core.joinsRuns)
        let mapper = FakeMapper()
        try core.add(endpoint: 2, group: "2", back: FakeBack(sharing: mapper))
        core.attach(2, 1)
        #expect(core.joinsRuns && core.together(Self.maps(0..<8)) == .done(.ok))
        #expect(plain.count == 8 && mapper.pieces.count == 1)
        #expect(core.unmap(1, 0x2000, 0x2fff) == .ok && plain.count == 7 && mapper.pieces.count == 2)
    }

    @Test func replayKeepsAreas() throws {
        let mappers = [FakeMapper(), FakeMapper()]
        let core = try attached([mappers[0]])
        #expect(core.together(Self.maps(0..<8)) == .done(.ok))
        #expect(core.unmap(1, 0x3000, 0x3fff) == .ok && core.map(1, 0x3000, 0x3fff, to: 0x10_3000) == .ok)
        try core.add(endpoint: 2, group: "2", back: FakeBack(sharing: mappers[1]))
        #expect(core.attach(2, 1) == .ok)
        #expect(mappers[1].pieces == mappers[0].pieces && mappers[0].pieces.count == 3)
    }

    // MARK: Truth

    @Test func runWithAWrongOneHasNoEffect() throws {
        let mapper = FakeMapper()
        let core = try attached([mapper])
        core.map(1, 0x5000, 0x5fff)
        let before = core.statistics
        mapper.calls = []
        #expect(core.together(Self.maps(2..<8)) == .done(.invalid))
        #expect(core.together(Self.unmaps(0..<3) + [.unmap(domain: 1, first: 0x3000, last: 0x57ff)]) == .done(.range))
        #expect(mapper.calls.isEmpty && core.statistics == before && core.lastRefusals.isEmpty)
        let half: UInt64 = 1 << 63
        let all = [(0, half - 1), (half, .max)].map { (first: UInt64, last: UInt64) -> IOMMURequest in
            .map(domain: 1, first: first, last: last, physical: GuestPhysicalAddress(first), flags: 3)
        }
        #expect(all[1].continues(all[0]) && core.together(all) == .done(.range))
    }

    @Test(arguments: 1...8) func runThatTheHostFailsHasNoEffect(at failing: Int) throws {
        let mappers = [FakeMapper(maximumPieceByteCount: 0x2000), FakeMapper(maximumPieceByteCount: 0x2000)]
        let core = try attached(mappers, limits: .init(callsInAStep: 1))
        core.map(1, 0x8000, 0x8fff)
        let before = mappers.map(\.pieces)
        let map = (failing - 1) / 4
        mappers[map].failure = { $0 == 1 + (failing - 1) % 4 + 1 ? .noMemory("full") : nil }
        #expect(core.together(Self.maps(0..<8)) == .done(.noMemory) && mappers.map(\.pieces) == before && core.lastRefusals.isEmpty)
        #expect(core.statistics.mappings == 1 && core.statistics.merges == 0 && core.statistics.answers(.map, .noMemory) == 0)
        for mapper in mappers { #expect(mapper.complaints.isEmpty) }
    }

    @Test(arguments: [1, 2]) func restThatIsLostBlocksAndIsTold(failing: Int) throws {
        let mappers = [FakeMapper(), FakeMapper()]
        let core = try attached(mappers)
        #expect(core.together(Self.maps(0..<8)) == .done(.ok))
        mappers[0].failure = { $0 == 1 + failing ? .noMemory("full") : nil }
        #expect(core.unmap(1, 0x3000, 0x3fff) == .ok)
        #expect(core.state(1) == .failed && mappers[0].pieces.isEmpty)
        #expect(core.state(2) == .attached(domain: 1) && mappers[1].pieces.count == 2)
        #expect(core.takeFault() == IOMMUFault(reason: .unknown, endpoint: 1, address: IOVA(0), access: .readWrite))
        #expect(core.lastRefusals.last?.reason.contains("endpoint 1 is blocked") == true)
        mappers[0].failure = nil
        #expect(core.attach(1, 1) == .ok && mappers[0].pieces == mappers[1].pieces && mappers[0].complaints.isEmpty)
    }

    @Test func unmapsThatContinueEachOtherAreOneCall() throws {
        let mapper = FakeMapper()
        let core = try attached([mapper])
        #expect(core.together(Self.maps(0..<8)) == .done(.ok))
        mapper.calls = []
        #expect(core.together(Self.unmaps(0..<8)) == .done(.ok))
        #expect(mapper.calls == [.unmap(try range(0, 0x7fff))])
        #expect(core.statistics.mergedUnmaps == 7 && core.statistics.splits == 0)
    }
}

extension IOMMUCore {
    fileprivate func together(_ requests: [IOMMURequest]) -> IOMMUProgress {
        var progress = begin(together: requests)
        while progress == .working { progress = advance() }
        return progress
    }
}

/// Device models of this process: calls cost nothing.
private final class PlainMapper: HostMapper {
    var maximumPieceByteCount: UInt64 { 1 << 63 }
    var joinsNeighbours: Bool { false }
    private(set) var count = 0
    func map(_ piece: IOVAMapping) { count += 1 }
    func unmap(_ range: IOVARange) { count -= 1 }
    func unmapAll() { count = 0 }
}

private final class PlainBack: EndpointBack {
    private let plain: PlainMapper
    init(_ plain: PlainMapper) { self.plain = plain }
    func mapper(forDomain domain: UInt32) -> any HostMapper { plain }
    func use(_ mapper: any HostMapper) {}
    func bypass() {}
    func block() {}
}
