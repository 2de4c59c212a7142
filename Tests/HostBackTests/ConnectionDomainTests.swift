import DeviceAccess
import DeviceMemory
import HostBack
import IOMMURelay
import LinuxIO
import Synchronization
import SystemPackage
import Testing
import VfioUser

/// Clients that map at IOVAs, as a QEMU with an IOMMU of its own does, in front of scripted hosts' functions: real servers and
/// clients over sockets, one core.
@Suite("DMA_MAP of a connection reaches the host's IOMMU", .serialized) struct ConnectionDomainTests {
    /// The server's thread owns all but the spaces.
    private final class Bench: @unchecked Sendable {
        let spaces: [ScriptedSpace]
        let control = Mutex<ServerControl?>(nil)
        let statistics = Mutex(RelayStatistics())
        let paths: [String]
        let limits: RelayLimits

        init(_ count: Int, limits: RelayLimits) {
            let name = "/tmp/unic-connection-\(MonotonicClock.nanoseconds())"
            paths = (0..<count).map { "\(name)-\($0)" }
            spaces = paths.map { _ in ScriptedSpace() }
            self.limits = limits
        }

        func serve() throws {
            let core = IOMMUCore(limits: limits)
            let turns = CoreTurns(core)
            var functions: [any ServedFunction] = []
            for (index, path) in paths.enumerated() {
                let memory = DMASpace()
                let space = spaces[index]
                let domains = IOMMUFDDomains<ScriptedSpace>(guest: memory) { () throws(DeviceError) in space }
                let window = ReservedWindow(.msi, range(0xfee0_0000, 0xfeef_ffff))
                try core.add(
                    endpoint: UInt32(index), group: "\(index)", reserved: [window],
                    back: IOMMUFDBack(device: ScriptedDevice(), domains: domains))
                let function = try PassthroughFunction(try ScriptedFunction())
                let environment = function.environment
                let server = try VfioUserServer(model: function, environment: environment, clientMemory: memory, socketPath: path)
                server.memoryCarrier = ConnectionDomain(endpoint: UInt32(index), turns: turns)
                server.publishing = { self.statistics.withLock { $0 = core.statistics } }
                functions.append(server)
            }
            let loop = try ServerLoop(functions, options: ServerOptions())
            try loop.serve { control.withLock { $0 = functions[0].control } }
        }
    }

    /// - Parameter connected: how many of the functions have a client when the body begins, the last ones.
    private func run(
        _ count: Int = 1, connected: Int? = nil, limits: RelayLimits = RelayLimits(), _ body: (Bench, [VfioUserDevice]) throws -> Void
    ) throws {
        let bench = Bench(count, limits: limits)
        let thread = try WorkerThread { do { try bench.serve() } catch { Issue.record("\(error)") } }
        wait { bench.control.withLock { $0 } != nil }
        let control = try #require(bench.control.withLock { $0 })
        let result = Result {
            try body(bench, try bench.paths.suffix(connected ?? count).map { try VfioUserDevice(url: "vfio-user:\($0)", socketPath: $0) })
        }
        control.stop()
        thread.join()
        try result.get()
    }

    private func wait(until isTrue: () -> Bool) {
        let deadline = Deadline(afterMilliseconds: 10_000)
        while !isTrue(), !deadline.hasPassed { _ = waitForEvents([], timeoutMilliseconds: 1) }
    }

    private func refusal(_ body: () throws(DeviceError) -> Void) -> String {
        do throws(DeviceError) {
            try body()
            return "nothing was refused"
        } catch { return "\(error)" }
    }

    @Test func eachMessageIsOneCallAtItsIOVA() throws {
        let memory = try DMAMemory.ordinary(byteCount: 1 << 20)
        try run { bench, devices in
            try devices[0].map(memory, at: IOVA(0x1_0000_0000), access: .readWrite)
            try devices[0].map(memory, at: IOVA(0x2_0000_0000), access: .read)
            let mapped = bench.spaces[0].mapped
            #expect(mapped.map(\.range) == [range(0x1_0000_0000, 0x1_000f_ffff), range(0x2_0000_0000, 0x2_000f_ffff)])
            #expect(mapped.map(\.access) == [.readWrite, .read])
            try devices[0].unmap(range(0x1_0000_0000, 0x1_000f_ffff))
            // The answer has come: it is gone.
            #expect(bench.spaces[0].mapped.map(\.range) == [range(0x2_0000_0000, 0x2_000f_ffff)])
            // All that is inside goes, and nothing is looked at beside it.
            try devices[0].unmap(range(0x4_0000_0000, 0x4_ffff_ffff))
            #expect(bench.spaces[0].state.withLock { [$0.maps, $0.unmaps] } == [2, 1])
            try devices[0].unmap(range(0, 1 << 47 - 1))
            #expect(bench.spaces[0].mapped.isEmpty)
            wait { bench.statistics.withLock { $0.answers(.unmap, .ok) } == 3 }
            let statistics = bench.statistics.withLock { $0 }
            #expect(statistics.answers(.map, .ok) == 2 && statistics.answers(.unmap, .ok) == 3 && statistics.answers(.attach, .ok) == 1)
            #expect(statistics.mappings == 0 && statistics.hostMapCalls == 2 && statistics.endpoints[0].state == .attached(domain: 0))
        }
    }

    @Test func whatTheHostRefusesIsRefusedWithItsErrorAndNothingOfItStays() throws {
        let memory = try DMAMemory.ordinary(byteCount: 192 << 20)
        try run { bench, devices in
            // The last of three pieces.
            bench.spaces[0].fail(map: 3, .noMemory)
            bench.spaces[0].fail(map: 4, .invalidArgument)
            bench.spaces[0].fail(map: 5, .badAddress)
            for errno in [Errno.noMemory, .invalidArgument, .ioError] {
                let told = refusal { () throws(DeviceError) in try devices[0].map(memory, at: IOVA(1 << 32), access: .readWrite) }
                #expect(told.contains("refused it: \(errno)"), "\(told)")
                #expect(bench.spaces[0].mapped.isEmpty)
            }
            let told = refusal { () throws(DeviceError) in try devices[0].map(memory, at: IOVA(0xfe00_0000), access: .readWrite) }
            #expect(told.contains("refused it: \(Errno.invalidArgument)"), "\(told)")
            // The addresses are free again.
            try devices[0].map(memory, at: IOVA(1 << 32), access: .readWrite)
            #expect(bench.spaces[0].mapped.count == 3)
        }
    }

    @Test func limitsHoldForAllConnectionsTogether() throws {
        let memory = try DMAMemory.ordinary(byteCount: 1 << 20)
        try run(2, limits: RelayLimits(mappings: 3, mappedBytes: 1 << 30)) { bench, devices in
            for index in [0, 1, 1] {
                try devices[index].map(
                    memory, at: IOVA(UInt64(1 + bench.spaces[index].mapped.count) << 32), access: .readWrite)
            }
            for device in devices {
                let told = refusal { () throws(DeviceError) in try device.map(memory, at: IOVA(9 << 32), access: .readWrite) }
                #expect(told.contains("refused it: \(Errno.noMemory)"), "\(told)")
            }
            try devices[0].unmap(range(1 << 32, 1 << 32 + 0xf_ffff))
            try devices[1].map(memory, at: IOVA(9 << 32), access: .readWrite)
            #expect(bench.spaces.map(\.mapped.count) == [0, 3])
        }
    }

    /// Several threads map and unmap at once: the core does one thing at a time, in steps.
    @Test func connectionsTakeTurns() throws {
        try run(3) { bench, devices in
            let counter = Counter()
            for shared in devices.map(Shared.init) {
                _ = try WorkerThread {
                    defer { counter.ended.withLock { $0 += 1 } }
                    do {
                        let memory = try DMAMemory.ordinary(byteCount: 160 << 20)
                        for round in 0..<40 {
                            let start = IOVA(UInt64(1 + round % 3) << 32)
                            try shared.device.map(memory, at: start, access: .readWrite)
                            if let all = IOVARange(start: start, byteCount: 160 << 20) { try shared.device.unmap(all) }
                        }
                        try shared.device.map(memory, at: IOVA(7 << 32), access: .readWrite)
                    } catch { Issue.record("\(error)") }
                }
            }
            wait { counter.ended.withLock { $0 } == 3 }
            #expect(bench.spaces.map(\.mapped.count) == [3, 3, 3])
        }
    }

    private struct Shared: @unchecked Sendable { let device: VfioUserDevice }
    private final class Counter: Sendable { let ended = Mutex(0) }

    /// Whoever goes leaves nothing, also in the middle of a map; others go on.
    @Test func aClientThatGoesTakesItsMappingsAlong() throws {
        let memory = try DMAMemory.ordinary(byteCount: 1 << 20)
        try run(2, connected: 1) { bench, devices in
            try devices[0].map(memory, at: IOVA(1 << 32), access: .readWrite)
            for _ in 0..<3 {
                let before = bench.spaces[0].state.withLock { $0.maps }
                try mapAndLeave(bench.paths[0])
                wait { bench.spaces[0].state.withLock { $0.maps > before && $0.mapped.isEmpty } }
                #expect(bench.spaces[0].mapped.isEmpty && bench.spaces[1].mapped.count == 1)
            }
            try devices[0].unmap(range(1 << 32, 1 << 32 + 0xf_ffff))
            #expect(bench.spaces[1].mapped.isEmpty)
            wait { bench.statistics.withLock { $0.mappings } == 0 }
            #expect(bench.statistics.withLock { $0.mappings } == 0)
        }
    }

    /// The map is under way when the connection ends: no reply is waited for.
    private func mapAndLeave(_ path: String) throws {
        let socket = try UnixSocket.connect(to: path)
        func send(_ command: Command, _ payload: [UInt8], descriptors: [Int32] = []) throws {
            let header = MessageHeader(id: 1, command: command.rawValue, payloadByteCount: payload.count)
            _ = try socket.send(header.emit() + payload, from: 0, descriptors: descriptors)
        }
        try send(.version, VersionMessage(major: 0, minor: 0, capabilities: Capabilities()).emit())
        _ = waitForEvents([PollRequest(socket.number, .readable)], timeoutMilliseconds: 5000)
        let file = try MemoryFile.create(name: "test-hasty", byteCount: 8 << 30)
        let message = DMAMapMessage(access: .readWrite, fileOffset: 0, range: range(1 << 32, 1 << 32 + 8 << 30 - 1))
        try send(.dmaMap, message.emit(), descriptors: [file.number])
    }
}
