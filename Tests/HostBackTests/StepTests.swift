import DeviceAccess
import DeviceMemory
import IOMMURelay
import LinuxIO
import Testing

@testable import HostBack

/// A gibibyte of guest memory is mapped and unmapped a piece at a time, whatever asks for it: between two pieces others are served.
@Suite("Pieces of much memory") final class StepTests {
    private static let pieces = 16
    private static let byteCount = UInt64(pieces) << 26

    private let memory: DMAMemory
    private let guest = DMASpace()
    private let space = ScriptedSpace()

    init() throws {
        memory = try sparseMemory(byteCount: Self.byteCount)
        try guest.map(range(0, Self.byteCount - 1), to: memory.window, access: .readWrite)
    }

    /// Host calls in each step.
    private func steps(_ core: IOMMUCore, _ request: IOMMURequest) -> (status: IOMMUStatus, calls: [Int]) {
        var calls: [Int] = []
        var before = space.callCount
        var progress = core.begin(request)
        while true {
            calls.append(space.callCount - before)
            before = space.callCount
            guard case .working = progress else { break }
            progress = core.advance()
        }
        guard case .done(let status, _) = progress else { return (.deviceError, calls) }
        return (status, calls)
    }

    private func expectInPieces(_ calls: [Int], _ count: Int = pieces, _ location: SourceLocation = #_sourceLocation) {
        #expect(calls.allSatisfy { $0 <= 1 } && calls.reduce(0, +) == count, "\(calls)", sourceLocation: location)
        #expect(space.largestMap <= 64 << 20 && space.largestUnmap <= 64 << 20, sourceLocation: location)
    }

    private func attach(_ domain: UInt32, bypassing: Bool = false) -> IOMMURequest {
        .attach(endpoint: 1, domain: domain, flags: bypassing ? 1 : 0)
    }

    private var mapAll: IOMMURequest {
        .map(domain: 1, first: 0, last: Self.byteCount - 1, physical: GuestPhysicalAddress(0), flags: 3)
    }

    // MARK: iommufd

    private func byIOMMUFD(bypassing: Bool = false) throws -> (IOMMUCore, IOMMUFDDomains<ScriptedSpace>, ScriptedDevice) {
        let domains = IOMMUFDDomains<ScriptedSpace>(guest: guest) { [space] () throws(DeviceError) in space }
        let device = ScriptedDevice()
        let core = IOMMUCore(bypassesUnattached: bypassing)
        try core.add(endpoint: 1, group: "1", back: IOMMUFDBack(device: device, domains: domains))
        return (core, domains, device)
    }

    @Test func bypassWithIOMMUFD() throws {
        let (core, _, device) = try byIOMMUFD()
        let (status, calls) = steps(core, attach(1, bypassing: true))
        #expect(status == .ok && space.mapped.count == Self.pieces && device.space === space)
        expectInPieces(calls)
        let (back, further) = steps(core, .detach(endpoint: 1, domain: 1))
        #expect(back == .ok && space.mapped.isEmpty && device.space == nil)
        expectInPieces(further)
        #expect(device.mappedWhenMoved == 0, "the kernel pins and unpins for devices that come and go")
    }

    @Test func replayWithIOMMUFD() throws {
        let (core, _, device) = try byIOMMUFD()
        let other = ScriptedSpace()
        try core.add(endpoint: 2, group: "2", back: Type1Back(group: Type1Group(space: other, guest: guest)))
        #expect(steps(core, .attach(endpoint: 2, domain: 1, flags: 0)).status == .ok && steps(core, mapAll).status == .ok)
        expectInPieces(steps(core, attach(1)).calls)
        expectInPieces(steps(core, attach(3)).calls)
        space.fail(map: space.mapCount + 9, .noSpace)
        #expect(steps(core, attach(1)).status == .noMemory && space.mapped.isEmpty && device.space == nil)
        #expect(steps(core, attach(1)).status == .ok && space.mapped.count == Self.pieces)
        core.reset()
        #expect(space.mapped.isEmpty && device.space == nil && device.mappedWhenMoved == 0)
    }

    @Test func bypassThatFailsWithIOMMUFD() throws {
        let (core, _, device) = try byIOMMUFD()
        space.fail(map: 5, .noMemory)
        #expect(steps(core, attach(1, bypassing: true)).status == .noMemory)
        #expect(space.mapped.isEmpty && device.space == nil)
        #expect(steps(core, attach(1, bypassing: true)).status == .ok && space.mapped.count == Self.pieces)
    }

    @Test func detachWithIOMMUFD() throws {
        let (core, _, device) = try byIOMMUFD()
        #expect(steps(core, attach(1)).status == .ok)
        expectInPieces(steps(core, mapAll).calls)
        #expect(space.madeBytes == Self.byteCount, "pages are made before they are pinned")
        let (status, calls) = steps(core, .detach(endpoint: 1, domain: 1))
        #expect(status == .ok && space.mapped.isEmpty && device.space == nil)
        expectInPieces(calls)
    }

    // MARK: type 1

    private func byType1() throws -> (IOMMUCore, Type1Group<ScriptedSpace>) {
        let group = Type1Group(space: space, guest: guest)
        let core = IOMMUCore()
        try core.add(endpoint: 1, group: "1", back: Type1Back(group: group))
        return (core, group)
    }

    @Test func bypassAndBackWithType1() throws {
        let (core, _) = try byType1()
        expectInPieces(steps(core, attach(1, bypassing: true)).calls)
        #expect(space.mapped.count == Self.pieces)
        let (status, calls) = steps(core, attach(2))
        #expect(status == .ok && space.mapped.isEmpty)
        expectInPieces(calls)
    }

    @Test func replayIntoAContainerAndOutOfIt() throws {
        let (core, _) = try byType1()
        let other = ScriptedSpace()
        try core.add(endpoint: 2, group: "2", back: Type1Back(group: Type1Group(space: other, guest: guest)))
        #expect(steps(core, .attach(endpoint: 2, domain: 1, flags: 0)).status == .ok)
        #expect(steps(core, mapAll).status == .ok && other.mapped.count == Self.pieces)
        let (status, calls) = steps(core, attach(1))
        #expect(status == .ok && space.mapped.count == Self.pieces)
        expectInPieces(calls)
        expectInPieces(steps(core, attach(3)).calls)
        #expect(space.mapped.isEmpty)
        // One that fails in the middle is taken back in pieces, too.
        space.fail(map: space.mapCount + 9, .noSpace)
        let (failure, further) = steps(core, attach(1))
        #expect(failure == .noMemory && space.mapped.isEmpty && core.statistics.endpoints[0].state == .failed)
        // The refused call, and the first piece's going.
        #expect(further.allSatisfy { $0 <= 2 }, "\(further)")
    }

    @Test func aResetInTheMiddleLeavesNothing() throws {
        let (core, _) = try byType1()
        for steps in 0..<2 * Self.pieces {
            var progress = core.begin(attach(1, bypassing: true))
            for _ in 0..<steps where progress == .working { progress = core.advance() }
            core.reset()
            #expect(space.mapped.isEmpty, "after \(steps) steps")
        }
    }

    // MARK: What has to be done in one call

    @Test func othersAreServedWhileMemoryComesAndGoes() throws {
        let (core, group) = try byType1()
        #expect(steps(core, attach(1)).status == .ok && steps(core, mapAll).status == .ok)
        var seen: [Int] = []
        var before = space.callCount
        group.betweenPieces = { [space] in
            seen.append(space.callCount - before)
            before = space.callCount
        }
        // The guest's memory goes, and comes back.
        _ = guest.unmap(range(0, Self.byteCount - 1))
        group.guestMemoryChanged()
        #expect(space.mapped.isEmpty && seen.count >= Self.pieces - 1 && seen.allSatisfy { $0 <= 1 }, "\(seen)")
        try guest.map(range(0, Self.byteCount - 1), to: memory.window, access: .readWrite)
        (seen, before) = ([], space.callCount)
        group.guestMemoryChanged()
        // Making pages gives turns, too, if it takes long.
        #expect(space.mapped.count == Self.pieces && seen.filter { $0 > 0 } == [Int](repeating: 1, count: Self.pieces - 1), "\(seen)")
        (seen, before) = ([], space.callCount)
        core.reset()
        #expect(space.mapped.isEmpty && seen.count == Self.pieces - 1 && seen.allSatisfy { $0 <= 1 }, "\(seen)")
    }

    @Test func othersAreServedWhileAFirmwaresBypassFollowsTheMemory() throws {
        _ = guest.unmap(range(0, Self.byteCount - 1))
        let (core, domains, device) = try byIOMMUFD(bypassing: true)
        #expect(device.space === space && space.mapped.isEmpty)
        var seen: [Int] = []
        var before = space.callCount
        domains.betweenPieces = { [space] in
            seen.append(space.callCount - before)
            before = space.callCount
        }
        try guest.map(range(0, Self.byteCount - 1), to: memory.window, access: .readWrite)
        domains.guestMemoryChanged()
        #expect(space.mapped.count == Self.pieces && seen.filter { $0 > 0 } == [Int](repeating: 1, count: Self.pieces - 1), "\(seen)")
        withExtendedLifetime(core) {}
    }
}

/// Memory of which no page is there before it is used.
func sparseMemory(byteCount: UInt64) throws -> DMAMemory {
    let file = try MemoryFile.create(name: "test-sparse", byteCount: Int(byteCount))
    let pages = try MappedPages(sharing: file, byteCount: Int(byteCount), subject: "test-sparse")
    return DMAMemory(file: file, fileOffset: 0, pages: pages, pageSize: .base)
}
