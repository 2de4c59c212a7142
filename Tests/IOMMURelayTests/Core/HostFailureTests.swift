import DeviceMemory
import Testing

@testable import IOMMURelay

/// The host says no: what the driver is told is what is there.
@Suite struct HostFailureTests {
    static let answers: [(HostMapperError, map: IOMMUStatus, attach: IOMMUStatus)] = [
        (.noMemory("full"), .noMemory, .noMemory), (.notMappable("a hole"), .range, .invalid),
        (.failed("lost"), .deviceError, .deviceError),
    ]

    @Test(arguments: answers) func errorsHaveTheirStatus(error: HostMapperError, map: IOMMUStatus, attach: IOMMUStatus) throws {
        let mappers = [FakeMapper(), FakeMapper()]
        let core = IOMMUCore()
        for (id, mapper) in zip(1..., mappers) { try core.add(endpoint: UInt32(id), group: "\(id)", back: FakeBack(sharing: mapper)) }
        core.attach(1, 1)
        core.map(1, 0, 0xfff)
        mappers[0].failure = { _ in error }
        mappers[1].failure = { _ in error }
        #expect(core.map(1, 0x1000, 0x1fff) == map && core.statistics.mappings == 1)
        #expect(core.attach(2, 1) == attach && core.state(2) == .blocked && core.state(1) == .attached(domain: 1))
        #expect(core.lastRefusals.map(\.status) == [map, attach])
    }

    /// A mapping of eight pieces in each of two mappers fails at each of the sixteen.
    @Test(arguments: 1...16) func mapThatFailsInTheMiddleIsUndone(at failing: Int) throws {
        let mappers = [FakeMapper(maximumPieceByteCount: 0x1000), FakeMapper(maximumPieceByteCount: 0x1000)]
        let core = IOMMUCore(limits: .init(callsInAStep: 3))
        for (id, mapper) in zip(1..., mappers) { try core.add(endpoint: UInt32(id), group: "\(id)", back: FakeBack(sharing: mapper)) }
        core.attach(1, 1)
        core.attach(2, 1)
        // A neighbour on each side stays.
        core.map(1, 0x3000, 0x3fff)
        core.map(1, 0xc000, 0xcfff)
        let before = mappers.map(\.pieces)
        mappers[(failing - 1) / 8].failure = { $0 == 2 + (failing - 1) % 8 + 1 ? .failed("lost") : nil }
        #expect(core.map(1, 0x4000, 0xbfff) == .deviceError)
        #expect(mappers.map(\.pieces) == before && mappers.allSatisfy(\.complaints.isEmpty))
        #expect(core.statistics.mappings == 2 && core.statistics.mappedBytes == 0x2000)
        #expect(core.map(1, 0x4000, 0xbfff) == .ok && mappers.allSatisfy { $0.pieces.count == 10 })
    }

    @Test func failedReplayEmptiesTheMapperAndBlocks() throws {
        let mapper = FakeMapper()
        let back = FakeBack(sharing: mapper)
        let core = IOMMUCore()
        try core.add(endpoint: 1, group: "1", back: FakeBack())
        try core.add(endpoint: 2, group: "2", back: back)
        core.attach(1, 1)
        core.attach(2, 2)
        for index in 0..<100 as Range<UInt64> { core.map(1, index << 12, index << 12 + 0xfff) }
        core.map(2, 0, 0xfff)
        mapper.failure = { $0 == 51 ? .noMemory("full") : nil }
        #expect(core.attach(2, 1) == .noMemory)
        #expect(mapper.pieces.isEmpty && back.path == .blocked && core.state(2) == .failed)
        // For the driver it still is in domain 2, from where it can be attached anew.
        #expect(core.statistics.domains == 2 && core.unmap(2, 0, 0xfff) == .ok)
        mapper.failure = nil
        #expect(core.attach(2, 2) == .ok && core.state(2) == .attached(domain: 2))
        #expect(core.attach(2, 1) == .ok && mapper.pieces.count == 100 && core.statistics.domains == 1)
    }

    @Test func failuresOfTheBackBlockAndUndo() throws {
        let back = FakeBack()
        let core = IOMMUCore()
        try core.add(endpoint: 1, group: "1", back: back)
        back.mapperFailure = .noMemory("no containers")
        #expect(core.attach(1, 1) == .noMemory && core.statistics.domains == 0)
        back.mapperFailure = nil
        back.useFailure = .failed("not attached")
        #expect(core.attach(1, 1) == .deviceError && back.path == .blocked && core.statistics.domains == 0)
        back.bypassFailure = .notMappable("no identity")
        #expect(core.attach(1, 1, flags: 1) == .invalid && back.path == .blocked && core.statistics.domains == 0)
        (back.useFailure, back.bypassFailure) = (nil, nil)
        #expect(core.attach(1, 1) == .ok)
    }

    @Test func siblingThatCannotFollowKeepsTheOneThatCan() throws {
        let backs = [FakeBack(), FakeBack()]
        let core = IOMMUCore()
        for (id, back) in zip(1..., backs) { try core.add(endpoint: UInt32(id), group: "g", back: back) }
        core.attach(1, 1)
        backs[1].useFailure = .failed("not attached")
        #expect(core.attach(2, 1) == .deviceError)
        #expect(core.state(1) == .attached(domain: 1) && core.state(2) == .blocked)
    }
}
