import DeviceMemory
import Testing

@testable import IOMMURelay

@Suite struct RelayLimitsTests {
    func makeCore(_ change: (inout RelayLimits) -> Void) throws -> IOMMUCore {
        var limits = RelayLimits()
        change(&limits)
        let core = IOMMUCore(limits: limits)
        for id in 1...3 as ClosedRange<UInt32> { try core.add(endpoint: id, group: "\(id)", back: FakeBack()) }
        return core
    }

    @Test func mappingsOfAllDomainsTogetherAreLimited() throws {
        let core = try makeCore { $0.mappings = 2 }
        core.attach(1, 1)
        core.attach(2, 2)
        #expect(core.map(1, 0, 0xfff) == .ok && core.map(2, 0, 0xfff) == .ok && core.map(1, 0x1000, 0x1fff) == .noMemory)
        core.detach(2, 2)
        #expect(core.map(1, 0x1000, 0x1fff) == .ok && core.map(1, 0x2000, 0x2fff) == .noMemory)
        core.unmap(1, 0, 0xfff)
        #expect(core.map(1, 0x2000, 0x2fff) == .ok)
    }

    @Test func mappedBytesAreLimited() throws {
        let core = try makeCore { $0.mappedBytes = 0x3000 }
        core.attach(1, 1)
        #expect(core.map(1, 0, 0x3fff) == .noMemory && core.map(1, 0, 0x1fff) == .ok && core.map(1, 0x2000, 0x3fff) == .noMemory)
        #expect(core.map(1, 0x2000, 0x2fff) == .ok && core.map(1, 0x3000, 0x3fff) == .noMemory)
        #expect(core.statistics.mappedBytes == 0x3000)
    }

    @Test func wholeAddressSpaceCannotBeHeldByDefault() throws {
        let core = try makeCore { _ in }
        core.attach(1, 1)
        #expect(core.map(1, 0, 1 << 63 - 1) == .noMemory && core.statistics.mappedBytes == 0)
    }

    @Test func domainsAreLimited() throws {
        let core = try makeCore { $0.domains = 2 }
        #expect(core.attach(1, 1) == .ok && core.attach(2, 2) == .ok && core.attach(3, 3) == .noMemory && core.attach(3, 1) == .ok)
        core.detach(2, 2)
        #expect(core.attach(2, 7) == .ok)
    }

    @Test func firstFaultsAreKeptAndOthersCounted() throws {
        let core = try makeCore { $0.faults = 3 }
        func fault(_ address: UInt64) -> IOMMUFault { IOMMUFault(reason: .mapping, endpoint: 1, address: IOVA(address), access: .write) }
        for address in 0..<5 as Range<UInt64> { core.report(fault(address)) }
        #expect(core.takeFault() == fault(0) && core.takeFault() == fault(1))
        core.report(fault(9))
        core.report(IOMMUFault(reason: .domain, endpoint: 1, address: IOVA(10), access: .read))
        core.report(fault(11))
        #expect(
            core.takeFault() == fault(2) && core.takeFault() == fault(9) && core.takeFault()?.reason == .domain && core.takeFault() == nil)
        let statistics = core.statistics
        #expect(statistics.faults(.mapping) == 7 && statistics.faults(.domain) == 1 && statistics.faultsDropped == 3)
        for address in 0..<100 as Range<UInt64> {
            core.report(fault(address))
            #expect(core.takeFault() == fault(address))
        }
    }

    @Test func reasonsAreKeptUpToALimit() throws {
        let core = IOMMUCore(limits: RelayLimits(refusals: 2))
        for id in 1...2 as ClosedRange<UInt32> { try core.add(endpoint: id, group: "g", back: FakeBack()) }
        core.attach(1, 1)
        for domain in 2...5 as ClosedRange<UInt32> { #expect(core.attach(2, domain) == .unsupported) }
        #expect(core.lastRefusals.map(\.request) == [4, 5].map { .attach(endpoint: 2, domain: $0, flags: 0) })
    }
}
