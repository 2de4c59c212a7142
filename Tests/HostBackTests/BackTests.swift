import DeviceAccess
import DeviceMemory
import IOMMURelay
import LinuxIO
import Testing

@testable import HostBack

/// Backs under the core that drives them.
@Suite("Host devices as endpoints") struct BackTests {
    private let page = mapping(0x1000, 0x1fff, to: 0x2000)

    private func finish(_ core: IOMMUCore, _ request: IOMMURequest) -> IOMMUStatus {
        var progress = core.begin(request)
        while true {
            switch progress {
            case .done(let status, _): return status
            case .working: progress = core.advance()
            }
        }
    }

    private func attach(_ core: IOMMUCore, _ endpoint: UInt32, _ domain: UInt32) -> IOMMUStatus {
        finish(core, .attach(endpoint: endpoint, domain: domain, flags: 0))
    }

    private func map(_ core: IOMMUCore, _ domain: UInt32, _ first: UInt64, to physical: UInt64) -> IOMMUStatus {
        finish(core, .map(domain: domain, first: first, last: first + 0xfff, physical: GuestPhysicalAddress(physical), flags: 3))
    }

    // MARK: iommufd

    private final class Spaces {
        var made: [WeakSpace] = []
        struct WeakSpace { weak var space: ScriptedSpace? }
        func make() -> ScriptedSpace {
            let space = ScriptedSpace()
            made.append(WeakSpace(space: space))
            return space
        }
        var alive: Int { made.filter { $0.space != nil }.count }
    }

    @Test func eachGuestDomainIsOneAddressSpaceWhichItsEndpointsShare() throws {
        let bench = try GuestBench()
        let spaces = Spaces()
        let domains = IOMMUFDDomains<ScriptedSpace>(guest: bench.guest) { () throws(DeviceError) in spaces.make() }
        let devices = [ScriptedDevice(), ScriptedDevice()]
        let core = IOMMUCore()
        for (index, device) in devices.enumerated() {
            try core.add(endpoint: UInt32(index), group: "\(index)", back: IOMMUFDBack(device: device, domains: domains))
        }
        #expect(attach(core, 0, 7) == .ok)
        #expect(map(core, 7, 0x1000, to: 0x2000) == .ok)
        #expect(attach(core, 1, 7) == .ok)
        #expect(devices[0].space === devices[1].space && spaces.alive == 1)
        #expect(devices[0].space?.mapped.count == 1)

        // Another domain: the second device leaves the first one's space in the attach's own call or before, and sees nothing of it.
        #expect(attach(core, 1, 8) == .ok)
        #expect(map(core, 8, 0x1000, to: 0x5000) == .ok)
        #expect(devices[0].space !== devices[1].space)
        #expect(devices[0].space?.mapped.map(\.processAddress) == [bench.address(0x10_2000)])
        #expect(devices[1].space?.mapped.map(\.processAddress) == [bench.address(0x10_5000)])

        // What is gone is given back.
        #expect(finish(core, .detach(endpoint: 0, domain: 7)) == .ok)
        #expect(devices[0].space == nil && spaces.alive == 1)
        core.reset()
        #expect(devices[1].space == nil && spaces.alive == 0)
    }

    @Test func aDomainsTableIsReplayedIntoANewSpace() throws {
        let bench = try GuestBench()
        let domains = IOMMUFDDomains<ScriptedSpace>(guest: bench.guest) { () throws(DeviceError) in ScriptedSpace() }
        let devices = [ScriptedDevice(), ScriptedDevice()]
        let core = IOMMUCore()
        for (index, device) in devices.enumerated() {
            try core.add(endpoint: UInt32(index), group: "\(index)", back: IOMMUFDBack(device: device, domains: domains))
        }
        #expect(attach(core, 0, 1) == .ok)
        for index in UInt64(0)..<1000 { #expect(map(core, 1, index * 0x2000, to: index % 256 * 0x1000) == .ok) }
        devices[1].attachFailure = .addressInUse
        #expect(attach(core, 1, 1) == .invalid)
        #expect(devices[1].space == nil)
        #expect(devices[0].space?.mapped.count == 1000, "the first one's mappings are not touched by the failure")
        devices[1].attachFailure = nil
        #expect(attach(core, 1, 1) == .ok)
        #expect(devices[1].space?.mapped.count == 1000)
    }

    @Test func bypassIsTheGuestsMemoryAtItsOwnAddresses() throws {
        let bench = try GuestBench()
        let domains = IOMMUFDDomains<ScriptedSpace>(guest: bench.guest) { () throws(DeviceError) in ScriptedSpace() }
        let device = ScriptedDevice()
        let core = IOMMUCore(bypassesUnattached: true)
        try core.add(endpoint: 3, group: "a", back: IOMMUFDBack(device: device, domains: domains))
        #expect(device.space?.mapped.map(\.range) == [GuestBench.low, GuestBench.high, GuestBench.rom])
        #expect(attach(core, 3, 1) == .ok)
        #expect(device.space?.mapped.isEmpty == true)
        _ = bench.guest.unmap(GuestBench.low)
        domains.guestMemoryChanged()
        #expect(finish(core, .detach(endpoint: 3, domain: 1)) == .ok)
        #expect(device.space?.mapped.map(\.range) == [GuestBench.high, GuestBench.rom])
        core.bypassesUnattached = false
        #expect(device.space == nil)
    }

    @Test func aDeviceThatWillNotBeDetachedSeesAnEmptySpace() throws {
        let bench = try GuestBench()
        let domains = IOMMUFDDomains<ScriptedSpace>(guest: bench.guest) { () throws(DeviceError) in ScriptedSpace() }
        let device = ScriptedDevice()
        let core = IOMMUCore()
        try core.add(endpoint: 3, group: "a", back: IOMMUFDBack(device: device, domains: domains))
        #expect(attach(core, 3, 1) == .ok && map(core, 1, 0x1000, to: 0) == .ok)
        let before = try #require(device.space)
        device.refusesDetach = true
        #expect(finish(core, .detach(endpoint: 3, domain: 1)) == .ok)
        #expect(device.space !== before && device.space?.mapped.isEmpty == true)
    }

    @Test func spacesThatTheHostDoesNotHaveAreAnAnswer() throws {
        let bench = try GuestBench()
        let domains = IOMMUFDDomains<ScriptedSpace>(guest: bench.guest) { () throws(DeviceError) in
            let cause = SystemCallError(call: "IOMMU_IOAS_ALLOC", subject: "test", errno: .noMemory)
            throw .systemCall(device: "test", group: nil, cause: cause, fix: "None.")
        }
        let core = IOMMUCore()
        try core.add(endpoint: 3, group: "a", back: IOMMUFDBack(device: ScriptedDevice(), domains: domains))
        #expect(attach(core, 3, 1) == .noMemory)
        #expect(core.lastRefusals.last?.reason.contains("IOMMU_IOAS_ALLOC") == true)
    }

    // MARK: type 1

    @Test func aGroupsContainerHoldsTheDomainThatItsEndpointsAreIn() throws {
        let bench = try GuestBench()
        let space = ScriptedSpace()
        let group = Type1Group(space: space, guest: bench.guest)
        let core = IOMMUCore()
        for id in UInt32(1)...2 { try core.add(endpoint: id, group: "g", back: Type1Back(group: group)) }
        #expect(attach(core, 1, 5) == .ok && map(core, 5, 0x1000, to: 0x2000) == .ok)
        #expect(attach(core, 2, 5) == .ok && map(core, 5, 0x3000, to: 0x3000) == .ok)
        #expect(space.mapped.map(\.range) == [range(0x1000, 0x1fff), range(0x3000, 0x3fff)])
        // One of two leaves: the other one goes on. A move empties it, and replays what the new domain has.
        #expect(finish(core, .detach(endpoint: 1, domain: 5)) == .ok)
        #expect(space.mapped.count == 2)
        #expect(attach(core, 2, 6) == .ok)
        #expect(space.mapped.isEmpty)
        #expect(map(core, 6, 0x7000, to: 0x4000) == .ok)
        #expect(space.mapped.map(\.range) == [range(0x7000, 0x7fff)])
        core.reset()
        #expect(space.mapped.isEmpty)
    }

    @Test func aReplayThatTheHostRefusesLeavesTheGroupEmpty() throws {
        let bench = try GuestBench()
        let spaces = [ScriptedSpace(), ScriptedSpace()]
        let core = IOMMUCore()
        for (index, space) in spaces.enumerated() {
            let group = Type1Group(space: space, guest: bench.guest)
            try core.add(endpoint: UInt32(index), group: "\(index)", back: Type1Back(group: group))
        }
        #expect(attach(core, 0, 1) == .ok)
        for page in UInt64(0)..<8 { #expect(map(core, 1, page * 0x2000, to: page * 0x1000) == .ok) }
        spaces[1].fail(map: 5, .noSpace)
        #expect(attach(core, 1, 1) == .noMemory)
        #expect(spaces[1].mapped.isEmpty && spaces[0].mapped.count == 8)
        #expect(attach(core, 1, 1) == .ok)
        #expect(spaces[1].mapped.count == 8)
    }

    @Test func aGroupBypassesUntilItsLastEndpointIsAttached() throws {
        let bench = try GuestBench()
        let space = ScriptedSpace()
        let group = Type1Group(space: space, guest: bench.guest)
        let core = IOMMUCore(bypassesUnattached: true)
        for id in UInt32(1)...2 { try core.add(endpoint: id, group: "g", back: Type1Back(group: group)) }
        #expect(space.mapped.map(\.range) == [GuestBench.low, GuestBench.high, GuestBench.rom])
        #expect(attach(core, 1, 5) == .ok)
        #expect(space.mapped.isEmpty)
        #expect(map(core, 5, 0x1000, to: 0x2000) == .ok)
        _ = bench.guest.unmap(GuestBench.low)
        group.guestMemoryChanged()
        #expect(space.mapped.isEmpty)
        #expect(finish(core, .detach(endpoint: 1, domain: 5)) == .ok)
        #expect(space.mapped.map(\.range) == [GuestBench.high, GuestBench.rom])
    }
}
