import DeviceAccess
import DeviceMemory
import DeviceModel
import Foundation
import IOMMURelay
import LinuxIO
import Synchronization
import Testing
import VfioUser

@testable import HostBack

/// While a guest maps much, each connection is answered after a piece or two: QEMU gives a server up that is silent for 5 s, and
/// a guest's config reads are to take no longer than 100 ms.
@Suite("Config reads while much is mapped", .serialized) struct ConfigReadTests {
    /// What a piece costs the host: time, or its pages as the kernel makes and pins them.
    enum Cost: Sendable { case milliseconds(UInt32), pages }

    /// 8 GiB of which no page is touched, 5 ms a piece; and pages that are made: a gibibyte, or UNIC_MAP_GIB (`make test-long`: 8).
    static let cases: [(gibibytes: UInt64, Cost)] = {
        let more = ProcessInfo.processInfo.environment["UNIC_MAP_GIB"].flatMap { UInt64($0) } ?? 1
        return [(8, .milliseconds(5)), (more, .pages)]
    }()

    @Test(arguments: cases) func eachConnectionIsAnsweredBetweenPieces(gibibytes: UInt64, cost: Cost) throws {
        let byteCount = gibibytes << 30
        let pieces = byteCount >> 26
        try SlowRelay.serve(cost) { relay in
            let guest = try BusyGuest(relay.directory, memoryByteCount: byteCount)
            #expect(try guest.driver.attach(endpoint: 0, domain: 1) == 0)
            let request = GuestIOMMURequest.map(domain: 1, 1 << 40, 1 << 40 + byteCount - 1, to: guest.start)
            let reads = try guest.readConfig(while: request, relay.pieces)
            #expect(relay.pieces.value == pieces)
            expectAnswers(reads, atLeast: Int(pieces) / 8)
            let longest = reads.map(\.delays.milliseconds).max() ?? 0
            print("config reads while \(gibibytes) GiB are mapped (\(cost)): \(reads.map(\.delays.pieces.count)), longest \(longest) ms")
            // And while it is given back, if that takes time.
            let unmapped = try guest.readConfig(while: GuestIOMMURequest.detach(endpoint: 0, domain: 1), relay.pieces)
            if case .milliseconds = cost { expectAnswers(unmapped, atLeast: Int(pieces) / 8) }
            #expect(relay.pieces.value == 2 * pieces)
        }
    }

    @Test func bypassAndMemoryThatGoesToo() throws {
        try SlowRelay.serve(.milliseconds(5)) { relay in
            let guest = try BusyGuest(relay.directory, memoryByteCount: 2 << 30)
            let request = GuestIOMMURequest.attach(endpoint: 0, domain: 1, flags: 1)
            expectAnswers(try guest.readConfig(while: request, relay.pieces), atLeast: 4)
            // The connection whose memory goes waits for it; the others do not.
            expectAnswers(try guest.readConfigOfNICs(relay.pieces) { try guest.loseMemory() }, atLeast: 4)
        }
    }

    /// A piece is under way when the read comes, and one may be before the sockets are looked at. A client that waits for a processor
    /// itself counts some more: few do.
    private func expectAnswers(
        _ reads: [(name: String, delays: BusyGuest.Delays)], atLeast count: Int, _ location: SourceLocation = #_sourceLocation
    ) {
        for (name, delays) in reads {
            let late = delays.pieces.count { $0 > 2 }
            #expect(late * 10 <= delays.pieces.count, "\(name): \(delays.pieces)", sourceLocation: location)
            #expect(delays.pieces.count >= count, "\(name): \(delays.pieces.count)", sourceLocation: location)
        }
    }
}

/// An address space in which a piece takes its time.
private final class SlowSpace: HostAddressSpace {
    private let cost: ConfigReadTests.Cost
    private let pieces: SharedCount

    init(_ cost: ConfigReadTests.Cost, _ pieces: SharedCount) {
        self.cost = cost
        self.pieces = pieces
    }

    func map(_ range: IOVARange, processAddress: UInt64, access: DMAAccess) throws(HostMapRefusal) {
        switch cost {
        case .milliseconds(let milliseconds): usleep(1000 * milliseconds)
        case .pages:
            // As pinning does.
            PagePopulation.populate(address: processAddress, byteCount: range.byteCount, isWritten: true)
        }
        pieces.add()
    }

    func makePages(processAddress: UInt64, byteCount: UInt64, access: DMAAccess) {
        guard case .pages = cost else { return }
        PagePopulation.populate(address: processAddress, byteCount: byteCount, isWritten: true)
    }

    func unmap(_ range: IOVARange) throws(DeviceError) -> UInt64 {
        if case .milliseconds(let milliseconds) = cost { usleep(1000 * milliseconds) }
        pieces.add()
        return range.byteCount
    }

    func unmapAll() throws(DeviceError) { pieces.add() }
}

private final class SlowDevice: AttachableDevice {
    func attach(_ space: SlowSpace) throws(DeviceError) {}
    func detach() throws(DeviceError) {}
}

private final class SharedCount: Sendable {
    private let count = Atomic<UInt64>(0)
    func add() { count.add(1, ordering: .relaxed) }
    var value: UInt64 { count.load(ordering: .relaxed) }
}

/// An IOMMU with such a back, and three functions, on one thread, as `Relay` puts them together.
private struct SlowRelay {
    let directory: String
    let pieces = SharedCount()

    private final class Started: Sendable { let control = Mutex<ServerControl?>(nil) }

    static func serve(_ cost: ConfigReadTests.Cost, _ body: (SlowRelay) throws -> Void) throws {
        let relay = SlowRelay(directory: "/tmp/unic-slow-\(MonotonicClock.nanoseconds())")
        let (path, pieces) = (relay.directory, relay.pieces)
        let started = Started()
        let thread = try WorkerThread {
            do {
                try Self.serve(path, cost, pieces) { control in started.control.withLock { $0 = control } }
            } catch { Issue.record("\(error)") }
        }
        let deadline = Deadline(afterMilliseconds: 10_000)
        while started.control.withLock({ $0 }) == nil, !deadline.hasPassed { _ = waitForEvents([], timeoutMilliseconds: 1) }
        let control = try #require(started.control.withLock { $0 })
        let result = Result { try body(relay) }
        control.stop()
        thread.join()
        try result.get()
    }

    private static func serve(
        _ path: String, _ cost: ConfigReadTests.Cost, _ pieces: SharedCount, _ ready: (ServerControl) -> Void
    ) throws {
        let environment = try DeviceEnvironment(for: VirtioIOMMUFunction.functionDescription())
        let domains = IOMMUFDDomains<SlowSpace>(guest: environment.dma) { () throws(DeviceError) in SlowSpace(cost, pieces) }
        let core = IOMMUCore()
        try core.add(endpoint: 0, group: "0", back: IOMMUFDBack(device: SlowDevice(), domains: domains))
        let iommu = try VfioUserServer(
            model: try VirtioIOMMUFunction(handler: core, environment: environment), environment: environment, socketPath: "\(path)-iommu")
        iommu.clientMemoryChanged = { domains.guestMemoryChanged() }
        var functions: [any ServedFunction] = [iommu]
        for index in 0..<3 {
            let function = try PassthroughFunction(ScriptedFunction())
            let own = function.environment
            functions.append(
                try VfioUserServer(model: function, environment: own, clientMemory: DMASpace(), socketPath: "\(path)-nic\(index)"))
        }
        let loop = try ServerLoop(functions, options: ServerOptions())
        domains.betweenPieces = { [weak loop] in loop?.serveOthers() }
        try loop.serve { ready(iommu.control) }
    }
}

/// A guest with an IOMMU driver, whose other processors read config space meanwhile.
private final class BusyGuest {
    struct Delays {
        /// How many pieces were done while a read waited.
        var pieces: [UInt64] = []
        /// The longest.
        var milliseconds = 0.0
    }

    let driver: GuestIOMMUDriver
    let start: UInt64 = 0x1_0000_0000
    private let iommu: VfioUserDevice
    private let connections: [(name: String, device: VfioUserDevice)]
    private let queues: DMAMemory
    private let memory: DMAMemory

    init(_ directory: String, memoryByteCount: UInt64) throws {
        func connect(_ name: String) throws -> VfioUserDevice {
            try VfioUserDevice(url: "vfio-user:\(name)", socketPath: "\(directory)-\(name)", acceptsHostDevices: true)
        }
        iommu = try connect("iommu")
        connections = [("iommu", iommu)] + (try (0..<3).map { ("nic\($0)", try connect("nic\($0)")) })
        queues = try DMAMemory.ordinary(byteCount: GuestIOMMUDriver.memoryByteCount)
        memory = try sparseMemory(byteCount: memoryByteCount)
        try iommu.map(queues, at: IOVA(0), access: .readWrite)
        try iommu.map(memory, at: IOVA(start), access: .readWrite)
        driver = GuestIOMMUDriver(MessageAccess(iommu), memory: queues.window, start: 0)
        try driver.initialise()
    }

    /// Every connection in turn, until the request is answered with OK.
    func readConfig(while request: [UInt8], _ pieces: SharedCount) throws -> [(name: String, delays: Delays)] {
        _ = try #require(driver.put(request, 4, slot: 0))
        driver.requests.publish()
        driver.notify(0)
        var delays = [Delays](repeating: Delays(), count: connections.count)
        let deadline = Deadline(afterMilliseconds: 120_000)
        while driver.requests.takeUsed() == nil, !deadline.hasPassed {
            for (index, connection) in connections.enumerated() { try read(connection.device, &delays[index], pieces) }
        }
        #expect(driver.memory.load8(at: driver.buffer(0) + request.count) == 0, "the request was refused, or not answered")
        return zip(connections, delays).map { ($0.name, $1) }
    }

    /// The NICs' connections, while another thread of the guest's emulator is in a call.
    func readConfigOfNICs(_ pieces: SharedCount, during body: () throws -> Void) throws -> [(name: String, delays: Delays)] {
        let isDone = SharedCount()
        let nics = Handed(connections.dropFirst().map(\.device))
        let thread = try WorkerThread { () -> [Delays] in
            var delays = [Delays](repeating: Delays(), count: nics.devices.count)
            while isDone.value == 0 {
                for (index, device) in nics.devices.enumerated() { try? Self.read(device, &delays[index], pieces) }
            }
            return delays
        }
        let result = Result { try body() }
        isDone.add()
        let delays = thread.join()
        try result.get()
        return zip(connections.dropFirst(), delays).map { ($0.name, $1) }
    }

    /// Used by one thread at a time.
    private final class Handed: @unchecked Sendable {
        let devices: [VfioUserDevice]
        init(_ devices: [VfioUserDevice]) { self.devices = devices }
    }

    func loseMemory() throws {
        let range = try #require(IOVARange(start: IOVA(start), byteCount: UInt64(memory.byteCount)))
        try iommu.unmap(range)
    }

    private func read(_ device: VfioUserDevice, _ delays: inout Delays, _ pieces: SharedCount) throws {
        try Self.read(device, &delays, pieces)
    }

    private static func read(_ device: VfioUserDevice, _ delays: inout Delays, _ pieces: SharedCount) throws {
        let (before, start) = (pieces.value, MonotonicClock.nanoseconds())
        _ = try device.readConfig(at: 0, byteCount: 4)
        delays.milliseconds = max(delays.milliseconds, Double(MonotonicClock.nanoseconds() &- start) / 1e6)
        delays.pieces.append(pieces.value - before)
    }
}

private final class MessageAccess: GuestFunctionAccess {
    private let device: VfioUserDevice
    init(_ device: VfioUserDevice) { self.device = device }

    func readBAR(_ bar: Int, at offset: UInt64, byteCount: Int) -> UInt64 {
        (try? device.readRegion(bar, at: offset, byteCount: byteCount)) ?? .max
    }
    func writeBAR(_ bar: Int, at offset: UInt64, _ value: UInt64, byteCount: Int) {
        try? device.writeRegion(bar, at: offset, value, byteCount: byteCount)
    }
    func readConfig(at offset: Int, byteCount: Int) -> UInt64 { UInt64((try? device.readConfig(at: offset, byteCount: byteCount)) ?? .max) }
    func writeConfig(at offset: Int, _ value: UInt64, byteCount: Int) {
        try? device.writeConfig(UInt32(truncatingIfNeeded: value), at: offset, byteCount: byteCount)
    }
    func letWork() { _ = waitForEvents([], timeoutMilliseconds: 1) }
}
