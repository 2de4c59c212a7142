import DeviceMemory
import DeviceModel
import IOMMURelay
import LinuxIO

extension FuzzTarget {
    /// A guest's IOMMU with its request queue and memory: function, core, and a device model's view of the guest's memory beside
    /// a mapper that gains from merging and fails now and then.
    ///
    /// The first four bytes choose modes, failures, and how much of the input (at most 3 KiB) lies at the start of memory, where the rings
    /// are. The rest is what the driver does, 12 bytes each: a write of memory, a register, or of a step.
    ///
    /// In the end what mappers hold must be what the core says.
    func askIOMMU(_ bytes: [UInt8]) {
        guard bytes.count >= 4 else { return }
        let lent = Int(bytes[2]) | Int(bytes[3]) << 8
        do {
            let guest = try FuzzedGuest(modes: bytes[0], failures: bytes[1], contents: Array(bytes[4...].prefix(min(lent, 3072))))
            for start in stride(from: 4 + min(lent, 3072), to: bytes.count - 11, by: 12) { guest.act(bytes[start..<start + 12]) }
            guest.finish()
        } catch { fatalError("\(error)") }
    }
}

/// A guest of 64 KiB at 0, whose driver is up with queues of 16 at 0 and at 0x1000.
private final class FuzzedGuest {
    private static let byteCount = 1 << 16

    private let core: IOMMUCore
    private let function: Function
    private let environment: DeviceEnvironment
    private let memory: DMAMemory
    private let strict: StrictMapper
    private let model: ModelBack
    private let view = DMASpace()
    private var now: UInt64 = 0

    /// The function is not copyable, and the clock is shared with it.
    private final class Function {
        var it: VirtioIOMMUFunction
        init(_ it: consuming VirtioIOMMUFunction) { self.it = it }
    }
    private final class Time { var now: UInt64 = 0 }
    private let time = Time()

    init(modes: UInt8, failures: UInt8, contents: [UInt8]) throws(SystemCallError) {
        environment = try DeviceEnvironment(for: VirtioIOMMUFunction.functionDescription())
        memory = try DMAMemory.ordinary(byteCount: Self.byteCount)
        guard let all = IOVARange(first: 0, last: UInt64(Self.byteCount - 1)) else { preconditionFailure("a constant range") }
        do { try environment.dma.map(all, to: memory.window, access: .readWrite) } catch { fatalError("\(error)") }
        core = IOMMUCore(
            limits: RelayLimits(mappings: 64, domains: 4, mappedBytes: 1 << 22, faults: 4, refusals: 4, callsInAStep: 3),
            bypassesUnattached: modes & 1 != 0, lazyUnmap: modes & 2 != 0 ? LazyUnmap(mappings: 4, milliseconds: 1) : nil)
        strict = StrictMapper(failingEach: Int(failures))
        model = ModelBack(endpoint: 8, space: view, guest: environment.dma, source: core)
        let strictBack = StrictBack(strict)
        do {
            try core.add(endpoint: 8, group: "a", back: model)
            try core.add(endpoint: 16, aliases: [24], group: "b", back: strictBack)
            try core.add(endpoint: 17, group: "b", back: strictBack)
        } catch { fatalError("\(error)") }
        let time = time
        function = Function(
            try VirtioIOMMUFunction(
                handler: core, environment: environment, requestsASecond: modes & 4 != 0 ? 1000 : nil, clock: { time.now }))
        core.clock = { time.now }
        start()
        if !contents.isEmpty { memory.window.store(contents, at: 0) }
    }

    /// "Driver Requirements: Device Initialization".
    private func start() {
        environment.writeConfig(at: 4, bytes: [6, 0])
        function.it.configWritten(at: 4, byteCount: 2)
        for status in [1, 3] as [UInt64] { write(20, status, 1) }
        for half in [0, 1] as [UInt64] {
            write(0, half, 4)
            let offered = function.it.readRegion(0, at: 4, byteCount: 4)
            write(8, half, 4)
            // Rings as the input has them: without EVENT_IDX every step publishes.
            write(12, half == 0 ? offered & ~(1 << 29) : offered & 1, 4)
        }
        write(20, 11, 1)
        for queue in [0, 1] as [UInt64] {
            write(22, queue, 2)
            write(24, 16, 2)
            for (register, offset) in [(32, 0), (40, 0x100), (48, 0x200)] as [(UInt64, UInt64)] {
                write(register, queue * 0x1000 + offset, 4)
                write(register + 4, 0, 4)
            }
            write(28, 1, 2)
        }
        write(20, 15, 1)
    }

    private func write(_ offset: UInt64, _ value: UInt64, _ byteCount: Int) {
        function.it.writeRegion(0, at: offset, value, byteCount: byteCount)
    }

    /// What the driver does: how, where in 16 bits, a value of 64.
    func act(_ bytes: ArraySlice<UInt8>) {
        let all = Array(bytes)
        let place = Int(all[2]) | Int(all[3]) << 8
        let value = all[4...].reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        switch all[0] & 7 {
        case 0...2: memory.window.store(Array(all[4...]), at: min(place, Self.byteCount - 8))
        case 3: write(UInt64(place & 0x3fff), value, [1, 2, 4, 8][Int(all[1] & 3)])
        case 4: access(value, isWrite: all[1] & 1 != 0)
        case 5: time.now &+= UInt64(place) &* 10_000
        case 6:
            // All but the available index stays: one more request of those that lie there.
            let index = memory.window.load16(at: 0x102)
            memory.window.store16(index &+ 1 &+ UInt16(all[1] & 7), at: 0x102)
        default: break
        }
        for _ in 0...Int(all[1] >> 6) { _ = function.it.progress() }
    }

    /// The device model does DMA.
    private func access(_ address: UInt64, isWrite: Bool) {
        _ = view.translate(IOVA(address), byteCount: 8, access: isWrite ? .write : .read)
    }

    func finish() {
        for _ in 0..<1000 where function.it.progress() {}
        time.now &+= 1_000_000_000
        for _ in 0..<1000 {
            _ = function.it.progress()
            time.now &+= 1_000_000
        }
        var expected: [UInt64: IOVAMapping] = [:]
        for id in [16, 17] as [UInt32] where core.statistics.endpoints.contains(where: { $0.id == id && $0.state.isAttached }) {
            core.visitMappings(ofEndpoint: id) { expected[$0.range.start.rawValue] = $0 }
        }
        if core.isIdle, !core.hasDeferredWork {
            precondition(strict.byteCount == expected.values.reduce(0) { $0 + $1.range.byteCount }, "a mapper holds something else")
        }
        function.it.reset()
        precondition(strict.byteCount == 0 && core.statistics.mappings == 0, "a reset left something behind")
    }
}

extension RelayStatistics.EndpointState {
    fileprivate var isAttached: Bool { if case .attached = self { true } else { false } }
}

/// A host that removes whole pieces only, and nothing that is not there.
private final class StrictMapper: HostMapper {
    private var table = MappingTable()
    private let failingEach: Int
    private var calls = 0
    var maximumPieceByteCount: UInt64 { 1 << 14 }
    var byteCount: UInt64 { table.mappedByteCount }

    init(failingEach: Int) { self.failingEach = failingEach }

    func map(_ piece: IOVAMapping) throws(HostMapperError) {
        calls += 1
        if failingEach > 0, calls % (failingEach + 1) == 0 { throw .noMemory("full") }
        precondition(piece.range.byteCount <= maximumPieceByteCount && table.insert(piece), "mapped twice: \(piece.range)")
    }

    func unmap(_ range: IOVARange) {
        guard case .removed(let pieces) = table.remove(range.addresses), !pieces.isEmpty else {
            preconditionFailure("a piece cut, or nothing there: \(range)")
        }
    }

    func unmapAll() { table.removeAll() }
}

private final class StrictBack: EndpointBack {
    private let mapper: StrictMapper
    init(_ mapper: StrictMapper) { self.mapper = mapper }
    func mapper(forDomain domain: UInt32) -> any HostMapper { mapper }
    func use(_ mapper: any HostMapper) {}
    func bypass() {}
    func block() {}
}
