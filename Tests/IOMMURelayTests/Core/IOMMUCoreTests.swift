import DeviceMemory
import Testing

@testable import IOMMURelay

/// What reaches the mappers and the backs, and when.
@Suite struct IOMMUCoreTests {
    @Test func mappingsReachAllMappersOfADomainInPieces() throws {
        let core = IOMMUCore()
        let (one, other) = (FakeMapper(maximumPieceByteCount: 0x4000), FakeMapper(maximumPieceByteCount: 0x10000))
        try core.add(endpoint: 1, group: "1", back: FakeBack(sharing: one))
        try core.add(endpoint: 2, group: "2", back: FakeBack(sharing: other))
        core.attach(1, 7)
        core.attach(2, 7)
        #expect(core.map(7, 0x3000, 0xafff, to: 0x10_3000, flags: 1) == .ok)
        // Pieces end at multiples of 0x4000.
        #expect(
            one.pieces == [
                mapping(0x3000, 0x3fff, to: 0x10_3000, .read), mapping(0x4000, 0x7fff, to: 0x10_4000, .read),
                mapping(0x8000, 0xafff, to: 0x10_8000, .read),
            ])
        #expect(other.pieces == [mapping(0x3000, 0xafff, to: 0x10_3000, .read)])
        #expect(core.unmap(7, 0, 0xffff) == .ok)
        #expect(one.pieces.isEmpty && other.pieces.isEmpty && one.complaints.isEmpty && other.complaints.isEmpty)
        #expect(core.statistics.hostMapCalls == 4 && core.statistics.hostUnmapCalls == 4)
    }

    @Test func unmapOfNothingOrOfAPartDoesNotReachTheHost() throws {
        let mapper = FakeMapper()
        let core = IOMMUCore()
        try core.add(endpoint: 1, group: "1", back: FakeBack(sharing: mapper))
        core.attach(1, 1)
        core.map(1, 0x1000, 0x2fff)
        mapper.calls = []
        #expect(core.unmap(1, 0, 0xfff) == .ok && core.unmap(1, 0, 0x1fff) == .range)
        #expect(mapper.calls.isEmpty)
    }

    /// A host that takes long lets others have their turns in it: they must not ask the core for anything.
    @Test func itIsNotIdleInsideOfAHostsCall() throws {
        let back = FakeBack(sharing: FakeMapper())
        let core = IOMMUCore(lazyUnmap: LazyUnmap())
        try core.add(endpoint: 1, group: "1", back: back)
        var wasIdle: [Bool] = []
        back.blocking = { [unowned core] in wasIdle.append(core.isIdle) }
        core.attach(1, 1)
        core.map(1, 0x1000, 0x1fff)
        core.attach(1, 2)
        core.detach(1, 2)
        core.attach(1, 1)
        core.reset()
        core.remove(endpoint: 1)
        #expect(back.calls.count { $0 == .block } == 5 && wasIdle.count == 4 && !wasIdle.contains(true) && core.isIdle, "\(wasIdle)")
    }

    /// No piece is above 64 MiB, and no step does more than one of them or 512 calls.
    @Test func longWorkIsDoneInSteps() throws {
        let mapper = FakeMapper()
        let back = FakeBack(sharing: mapper)
        let core = IOMMUCore()
        try core.add(endpoint: 1, group: "1", back: back)
        core.attach(1, 1)
        let big = core.runCountingSteps(
            .map(domain: 1, first: 0, last: 8 << 30 - 1, physical: GuestPhysicalAddress(0), flags: 3))
        #expect(big.status == .ok && big.steps == 128 && mapper.pieces.count == 128)
        let away = core.runCountingSteps(.unmap(domain: 1, first: 0, last: .max))
        #expect(away.status == .ok && away.steps == 128 && mapper.pieces.isEmpty)
    }

    @Test func replayIsDoneInSteps() throws {
        let core = IOMMUCore()
        let backs = [FakeBack(), FakeBack()]
        for (index, back) in backs.enumerated() { try core.add(endpoint: UInt32(index), group: "\(index)", back: back) }
        core.attach(0, 1)
        for index in 0..<2000 as Range<UInt64> { core.map(1, index << 13, index << 13 + 0xfff, to: index << 12) }
        let replay = core.runCountingSteps(.attach(endpoint: 1, domain: 1, flags: 0))
        #expect(replay.status == .ok && replay.steps == 4)
        let mappers = try backs.map { try #require($0.mapper) }
        #expect(mappers[0].pieces == mappers[1].pieces && mappers[1].mapCount == 2000)
        #expect(backs[1].calls == [.block, .mapper(1), .use])
    }

    @Test func endpointIsBlockedUntilItsReplayIsDone() throws {
        let core = IOMMUCore(configuration: .init(), limits: .init(callsInAStep: 10))
        let (one, other) = (FakeBack(), FakeBack())
        try core.add(endpoint: 1, group: "1", back: one)
        try core.add(endpoint: 2, group: "2", back: other)
        core.attach(1, 1)
        for index in 0..<100 as Range<UInt64> { core.map(1, index << 12, index << 12 + 0xfff) }
        #expect(core.begin(.attach(endpoint: 2, domain: 1, flags: 0)) == .working)
        for _ in 0..<8 {
            #expect(core.advance() == .working)
            #expect(other.path == .blocked)
        }
        while core.advance() == .working {}
        #expect(other.path != .blocked && other.mapper?.pieces.count == 100)
    }

    @Test func moveFromDomainToDomainKeepsTheOrder() throws {
        let mapper = FakeMapper()
        let back = FakeBack(sharing: mapper)
        let core = IOMMUCore()
        try core.add(endpoint: 1, group: "1", back: back)
        try core.add(endpoint: 2, group: "2", back: FakeBack())
        core.attach(1, 1)
        core.attach(2, 2)
        core.map(1, 0, 0xfff)
        core.map(2, 0, 0xfff, to: 0x5000)
        (back.calls, mapper.calls) = ([], [])
        #expect(core.attach(1, 2) == .ok)
        #expect(back.calls == [.block, .mapper(2), .use])
        #expect(mapper.calls == [.unmapAll, .map(mapping(0, 0xfff, to: 0x5000))])
        #expect(core.statistics.domains == 1 && core.state(1) == .attached(domain: 2))
    }

    @Test func mapperThatIsSharedIsFilledOnceAndEmptiedWithItsLastEndpoint() throws {
        let mapper = FakeMapper()
        let core = IOMMUCore()
        for id in 1...2 as ClosedRange<UInt32> { try core.add(endpoint: id, group: "\(id)", back: FakeBack(sharing: mapper)) }
        core.attach(1, 1)
        core.map(1, 0, 0xfff)
        core.attach(2, 1)
        #expect(mapper.mapCount == 1)
        core.detach(1, 1)
        #expect(mapper.pieces.count == 1)
        core.detach(2, 1)
        #expect(mapper.pieces.isEmpty && mapper.complaints.isEmpty)
    }

    @Test func unattachedEndpointsBypassOnlyWhenTheyMay() throws {
        let (back, refusing) = (FakeBack(), FakeBack())
        refusing.bypassFailure = .notMappable("no identity here")
        let core = IOMMUCore(bypassesUnattached: true)
        try core.add(endpoint: 1, group: "1", back: back)
        try core.add(endpoint: 2, group: "2", back: refusing)
        #expect(back.path == .bypass && refusing.path == .blocked && core.lastRefusals.count == 1 && core.state(2) == .failed)
        core.attach(1, 1)
        #expect(back.path != .bypass && back.path != .blocked)
        core.bypassesUnattached = false
        core.detach(1, 1)
        #expect(back.path == .blocked)
        core.bypassesUnattached = true
        #expect(back.path == .bypass && core.state(1) == .bypassing)
        core.attach(1, 3, flags: 1)
        core.bypassesUnattached = false
        #expect(back.path == .bypass, "a bypass domain does not depend on it")
    }

    @Test func resetLeavesNothingBehindInWhateverState() throws {
        for steps in 0...5 {
            let core = IOMMUCore(limits: .init(callsInAStep: 10))
            let (one, other) = (FakeBack(), FakeBack())
            try core.add(endpoint: 1, group: "1", back: one)
            try core.add(endpoint: 2, group: "2", back: other)
            core.attach(1, 1)
            for index in 0..<100 as Range<UInt64> { core.map(1, index << 12, index << 12 + 0xfff) }
            core.report(IOMMUFault(reason: .domain, endpoint: 2, address: IOVA(0), access: .read))
            let mapper = try #require(one.mapper)
            _ = core.begin(steps & 1 == 0 ? .attach(endpoint: 2, domain: 1, flags: 0) : .unmap(domain: 1, first: 0, last: .max))
            for _ in 0..<steps where core.job != nil { _ = core.advance() }
            core.bypassesUnattached = steps == 5
            core.reset()
            #expect(mapper.pieces.isEmpty && core.domains.isEmpty && core.takeFault() == nil)
            #expect([one.path, other.path] == (steps == 5 ? [.bypass, .bypass] : [.blocked, .blocked]))
            #expect(core.statistics.mappings == 0 && core.statistics.mappedBytes == 0 && core.statistics.resets == 1)
            #expect(core.attach(1, 1) == .ok && core.map(1, 0, 0xfff) == .ok)
        }
    }

    @Test func unpluggedEndpointIsUnknownAndItsDomainGone() throws {
        let core = IOMMUCore()
        let (one, other) = (FakeBack(), FakeBack())
        try core.add(endpoint: 1, aliases: [8], group: "a", back: one)
        try core.add(endpoint: 2, aliases: [8], group: "a", back: other)
        for id in [1, 8, 2] as [UInt32] { #expect(core.attach(id, 1) == .ok) }
        core.remove(endpoint: 1)
        #expect(one.path == .blocked && other.path != .blocked && core.attach(1, 1) == .noEntry && core.statistics.domains == 1)
        core.remove(endpoint: 2)
        #expect(other.path == .blocked && core.statistics.domains == 0 && core.attach(8, 1) == .noEntry)
        try core.add(endpoint: 1, group: "b", back: FakeBack())
        #expect(core.attach(1, 1) == .ok)
    }

    @Test func registrationsThatContradictAreRefused() throws {
        let core = IOMMUCore()
        let range = try #require(IOVARange(first: 0, last: 0xfff))
        try core.add(endpoint: 1, aliases: [5], group: "a", back: FakeBack())
        #expect(throws: IOMMUCore.RegistrationError.idTaken(1)) { try core.add(endpoint: 1, group: "a", back: FakeBack()) }
        #expect(throws: IOMMUCore.RegistrationError.idTaken(5)) { try core.add(endpoint: 5, group: "b", back: FakeBack()) }
        #expect(throws: IOMMUCore.RegistrationError.windows(endpoint: 9)) {
            try core.add(endpoint: 9, group: "c", reserved: [.init(.msi, range), .init(.reserved, range)], back: FakeBack())
        }
        try core.add(endpoint: 5, group: "a", back: FakeBack())
    }
}
