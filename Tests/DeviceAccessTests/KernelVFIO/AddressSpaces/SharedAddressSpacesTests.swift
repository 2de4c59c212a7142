import DeviceMemory
import LinuxIO
import Synchronization
import Testing

@testable import DeviceAccess

/// An address space of the test's own: counts what is mapped, and refuses on demand. Beside the kernel's, in the lab.
private final class ScriptedSpace: IOMMUAddressSpace {
    struct State {
        var mapped: [IOVARange] = []
        var mapCount = 0
        var refusedMap: Int?
        var refusesDevices = false
        var windows = [IOVARange(first: 0, last: 0xfedf_ffff)!, IOVARange(first: 0xfef0_0000, last: 0x7f_ffff_ffff)!]
    }

    let state = Mutex(State())
    let closed: EventCounter
    init(_ closed: EventCounter) { self.closed = closed }
    deinit { closed.add() }

    func openDevice(_ subject: VFIOSubject) throws(DeviceError) -> OwnedDescriptor {
        if state.withLock({ $0.refusesDevices }) { throw subject.notUsable("the test refuses", fix: "None.") }
        do { return try EventFD().descriptor.duplicate() } catch { throw subject.failed(error, fix: "None.") }
    }

    func limits(_ subject: VFIOSubject) throws(DeviceError) -> DMALimits {
        DMALimits(windows: state.withLock { $0.windows }, pageSizes: 4096, maximumMappings: 100)
    }

    func map(_ range: IOVARange, address: UInt64, access: DMAAccess, limits: DMALimits, for subject: VFIOSubject) throws(DeviceError) {
        try state.withLock { (state) throws(DeviceError) in
            defer { state.mapCount += 1 }
            guard state.refusedMap != state.mapCount else {
                throw .mapDMA(device: subject.url, range: range, reason: "the test refuses", fix: "None.")
            }
            state.mapped.append(range)
        }
    }

    func unmap(_ range: IOVARange, for subject: VFIOSubject) throws(DeviceError) {
        try state.withLock { (state) throws(DeviceError) in
            guard let index = state.mapped.firstIndex(of: range) else {
                throw .unmapDMA(device: subject.url, range: range, reason: "nothing is mapped there")
            }
            state.mapped.remove(at: index)
        }
    }

    func nodes(_ subject: VFIOSubject) -> [String] { [] }
}

private final class EventCounter: Sendable {
    private let value = Mutex(0)
    func add() { value.withLock { $0 += 1 } }
    var count: Int { value.withLock { $0 } }
}

@Suite("Address spaces that functions of a group share") struct SharedAddressSpacesTests {
    private let spaces = SharedAddressSpaces()
    private let closed = EventCounter()
    private let key = SharedAddressSpaces.Key(backend: .iommufd, group: "8", dev: "/nowhere")

    private func subject(_ device: UInt8) -> VFIOSubject {
        let paths = KernelPaths(sys: "/nowhere", dev: "/nowhere", proc: "/nowhere")
        return VFIOSubject(url: "vfio:01:0\(device).0", address: PCIAddress(bus: 1, device: device, function: 0)!, group: "8", paths: paths)
    }

    /// Opens a function; its lease, and what it may map.
    private func open(_ device: UInt8, _ space: ScriptedSpace? = nil, members: Int = 2) throws -> (AddressSpaceLease, DMALimits) {
        let closed = closed
        let function = try spaces.open(key, subject(device), memberCount: members) { () throws(DeviceError) in
            space ?? ScriptedSpace(closed)
        }
        return (AddressSpaceLease(function.key, function.spaces, function.space, subject(device)), function.limits)
    }

    private func range(_ first: UInt64) throws -> IOVARange { try #require(IOVARange(start: IOVA(first), byteCount: 0x1000)) }

    @Test("two functions have one space, and windows that do not meet")
    func shared() throws {
        let space = ScriptedSpace(closed)
        let (first, mine) = try open(1, space)
        let (second, others) = try open(2)
        #expect(spaces.userCount(key) == 2)
        for window in mine.windows { #expect(!others.windows.contains { $0.overlaps(window) }) }
        #expect(mine.windows.count == 2 && others.windows.count == 2)
        #expect(mine.windows.map(\.byteCount) == others.windows.map(\.byteCount))
        try first.map(range(0x10_0000), address: 0, access: .readWrite, limits: mine)
        try second.map(range(0x20_0000), address: 0, access: .readWrite, limits: others)
        #expect(space.state.withLock { $0.mapped.count } == 2)
    }

    @Test("a function alone in its group has all windows")
    func alone() throws {
        let (lease, limits) = try open(1, members: 1)
        #expect(limits.windows.map(\.last) == [0xfedf_ffff, 0x7f_ffff_ffff] && limits.windows.first?.start == IOVA(0))
        withExtendedLifetime(lease) {}
    }

    @Test("the space closes with its last function, and what one left mapped goes with that one")
    func closing() throws {
        do {
            let space = ScriptedSpace(closed)
            let (first, limits) = try open(1, space)
            do {
                let (second, _) = try open(2)
                try first.map(range(0x10_0000), address: 0, access: .readWrite, limits: limits)
                try second.map(range(0x20_0000), address: 0, access: .readWrite, limits: limits)
                try second.map(range(0x30_0000), address: 0, access: .readWrite, limits: limits)
                try second.unmap(range(0x30_0000))
            }
            #expect(space.state.withLock { $0.mapped } == [try range(0x10_0000)])
            #expect(spaces.userCount(key) == 1 && closed.count == 0)
            withExtendedLifetime(first) {}
        }
        #expect(spaces.userCount(key) == 0 && closed.count == 1)
    }

    @Test("a part that was given back is given out again")
    func reuse() throws {
        let (first, limits) = try open(1)
        do { _ = try open(2) }
        let (third, again) = try open(3)
        #expect(again.windows.allSatisfy { window in !limits.windows.contains { $0.overlaps(window) } })
        withExtendedLifetime((first, third)) {}
    }

    @Test("a function is open once, and no more functions than the group had")
    func refusals() throws {
        let (first, _) = try open(1)
        let twice = #expect(throws: DeviceError.self) { _ = try open(1) }
        #expect(try #require(twice).description.contains("open already"))
        let (second, _) = try open(2)
        let tooMany = #expect(throws: DeviceError.self) { _ = try open(3) }
        #expect(try #require(tooMany).description.contains("more functions"))
        #expect(spaces.userCount(key) == 2)
        withExtendedLifetime((first, second)) {}
    }

    @Test("a space whose first function cannot be opened is closed at once")
    func refusedDevice() throws {
        do {
            let space = ScriptedSpace(closed)
            space.state.withLock { $0.refusesDevices = true }
            #expect(throws: DeviceError.self) { _ = try open(1, space) }
        }
        #expect(spaces.userCount(key) == 0 && closed.count == 1)
    }

    @Test("a refused map leaves nothing behind: neither its own range nor one before it", arguments: 0..<3)
    func refusedMap(number: Int) throws {
        let space = ScriptedSpace(closed)
        space.state.withLock { $0.refusedMap = number }
        do {
            let (lease, limits) = try open(1, space)
            for index in 0..<3 {
                let range = try range(0x10_0000 + UInt64(index) * 0x1000)
                if index == number {
                    #expect(throws: DeviceError.self) { try lease.map(range, address: 0, access: .readWrite, limits: limits) }
                } else {
                    try lease.map(range, address: 0, access: .readWrite, limits: limits)
                }
            }
            #expect(space.state.withLock { $0.mapped.count } == 2)
        }
        #expect(space.state.withLock { $0.mapped.isEmpty })
    }

    @Test("a window that a second function's reserved addresses narrow is narrow for it")
    func narrowed() throws {
        let space = ScriptedSpace(closed)
        let (first, _) = try open(1, space)
        space.state.withLock { $0.windows = [IOVARange(first: 0, last: 0xfedf_ffff)!] }
        let (second, limits) = try open(2)
        #expect(limits.windows.count == 1 && limits.windows.allSatisfy { $0.last <= 0xfedf_ffff })
        withExtendedLifetime((first, second)) {}
    }
}
