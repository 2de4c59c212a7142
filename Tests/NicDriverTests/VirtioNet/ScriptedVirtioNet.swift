import DeviceAccess
import DeviceMemory
import LinuxIO
import NicRegisters

/// A virtio-net function whose every answer the test writes: capabilities, configuration and rings are memory that the test
/// reads and writes as a hostile device would. Stands beside the driver suite, which runs on real models and devices.
final class ScriptedVirtioNet: DeviceProgress, DeviceAccess {
    let url = "soft:scripted"
    var features: VirtioFeatures
    var config = [UInt8](repeating: 0, count: 256)
    /// struct virtio_net_config.
    var netConfig: [UInt8] = [2, 0, 0, 0, 0, 1, 1, 0, 4, 0, 0xdc, 0x05] + [UInt8](repeating: 0, count: 12)
    var queues: [ScriptedQueue] = (0..<9).map { _ in ScriptedQueue() }
    let dma = DMASpace()

    // What it does wrong.
    var refusesFeatures = false
    var neverResets = false
    var statusReadsAs: UInt8?
    var refusesVectors = false
    var controlIsSilent = false
    var controlAnswer: UInt8 = 0
    var offersDoorbells = true
    var refusedMapping: Int?
    var isGone = false
    var barByteCount: UInt64 = 0x4000

    private(set) var status: UInt8 = 0
    private(set) var accepted: UInt64 = 0
    private(set) var isBusMaster = false
    private(set) var isINTxDisabled = false
    private(set) var mapCount = 0
    /// Queue numbers that were written to a notification address which is not mapped.
    private(set) var notified: [UInt64] = []
    /// Commands that were given, class and number first.
    private(set) var commands: [[UInt8]] = []
    private var selects: (device: UInt32, driver: UInt32, queue: UInt16) = (0, 0, 0)
    private let doorbells: DMAMemory

    static let commonAt: UInt64 = 0, netConfigAt: UInt64 = 0x1000, notifyAt: UInt64 = 0x2000

    init(isPacked: Bool) throws {
        doorbells = try DMAMemory.ordinary(byteCount: 4096, name: "scripted-notify")
        features = [
            .version1, .accessPlatform, .mac, .status, .mergeableBuffers, .checksum, .guestChecksum, .controlQueue, .controlReceive,
            .multiqueue, .hostTSO4, .inOrder, .notificationData, .ringReset,
        ]
        if isPacked { features.insert(.ringPacked) }
        config[0x06] = 0x10
        config[0x34] = 0x40
        super.init()
        put(capability: .common, at: 0x40, next: 0x50, offset: UInt32(Self.commonAt), length: 64)
        put(capability: .interruptStatus, at: 0x50, next: 0x60, offset: 0x800, length: 1)
        put(capability: .deviceConfig, at: 0x60, next: 0x70, offset: UInt32(Self.netConfigAt), length: 24)
        put(capability: .notifications, at: 0x70, next: 0, offset: UInt32(Self.notifyAt), length: 0x1000, multiplier: 4)
    }

    func put(
        capability kind: Virtio.StructureKind, at: Int, next: UInt8, bar: UInt8 = 4, offset: UInt32, length: UInt32, multiplier: UInt32 = 0
    ) {
        func bytes(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        let words = [9, next, 20, kind.rawValue, bar, 0, 0, 0] + bytes(offset) + bytes(length)
        config.replaceSubrange(at..<at + 16, with: words)
        if kind == .notifications { config.replaceSubrange(at + 16..<at + 20, with: bytes(multiplier)) }
    }

    // Config space and BARs.

    func readConfig(at offset: Int, byteCount: Int) throws(DeviceError) -> UInt32 {
        if offset == 4, byteCount == 2 { return isBusMaster ? 6 : 0 }
        return config[offset..<offset + byteCount].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
    func writeConfig(_ value: UInt32, at offset: Int, byteCount: Int) throws(DeviceError) {
        if offset == 4 { (isBusMaster, isINTxDisabled) = (value & 4 != 0, value & 0x400 != 0) }
    }
    func regionInfo(_ region: Int) throws(DeviceError) -> RegionInfo { RegionInfo(byteCount: region == 4 ? barByteCount : 0) }
    func mapAreas(of region: Int) throws(DeviceError) -> [MappedArea] {
        offersDoorbells && region == 4 ? [MappedArea(offset: Self.notifyAt, window: doorbells.window)] : []
    }

    func readRegion(_ region: Int, at offset: UInt64, byteCount: Int) throws(DeviceError) -> UInt64 {
        if isGone { throw .gone(device: url, reason: "the test took it away") }
        if offset >= Self.netConfigAt {
            let at = Int(offset - Self.netConfigAt)
            return netConfig[at..<at + byteCount].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        let queue = Int(selects.queue) < queues.count ? queues[Int(selects.queue)] : nil
        switch (Int(offset), byteCount) {
        case (4, 4): return selects.device < 2 ? features.rawValue >> (32 * UInt64(selects.device)) & 0xffff_ffff : 0
        case (18, 2): return UInt64(queues.count)
        case (20, 1): return UInt64(statusReadsAs ?? status)
        case (24, 2): return UInt64(queue?.size ?? 0)
        case (26, 2): return refusesVectors ? 0xffff : UInt64(queue?.vector ?? 0xffff)
        case (28, 2): return queue?.isEnabled == true ? 1 : 0
        case (30, 2): return UInt64(queue?.notifyOffset ?? 0)
        default: return 0
        }
    }

    func writeRegion(_ region: Int, at offset: UInt64, _ value: UInt64, byteCount: Int) throws(DeviceError) {
        if isGone { throw .gone(device: url, reason: "the test took it away") }
        if offset >= Self.notifyAt { return notified.append(value) }
        let queue = Int(selects.queue) < queues.count ? queues[Int(selects.queue)] : nil
        switch (Int(offset), byteCount) {
        case (0, 4): selects.device = UInt32(value)
        case (8, 4): selects.driver = UInt32(value)
        case (12, 4):
            let shift = UInt64(selects.driver & 1) * 32
            accepted = accepted & ~(0xffff_ffff << shift) | value << shift
        case (20, 1): writeStatus(UInt8(value))
        case (22, 2): selects.queue = UInt16(value)
        case (24, 2): queue?.size = Int(value)
        case (26, 2): queue?.vector = UInt16(value)
        case (28, 2): queue?.isEnabled = value == 1
        case (32...55, 4): queue?.setAddress(Int(offset) - 32, UInt32(value))
        default: break
        }
    }

    private func writeStatus(_ value: UInt8) {
        if value == 0 {
            if neverResets { return }
            status = 0
            accepted = 0
            for queue in queues { queue.reset() }
            return
        }
        status = refusesFeatures ? value & ~8 : value
        for queue in queues { queue.attach(dma, isPacked: VirtioFeatures(rawValue: accepted).contains(.ringPacked)) }
    }

    func setStatus(_ bits: UInt8) { status |= bits }
    /// What was last written to a mapped notification address.
    func doorbell(ofQueue index: Int) -> UInt16 { doorbells.window.load16(at: 4 * index) }
    func clearDoorbells() { doorbells.window.fill(0xff) }

    // DMA and interrupts.

    var dmaLimits: DMALimits {
        DMALimits(windows: [IOVARange(first: 0x1_0000_0000, last: 0x1_ffff_ffff)].compactMap { $0 }, pageSizes: 4096, maximumMappings: 16)
    }

    func map(_ memory: borrowing DMAMemory, at iova: IOVA, access: DMAAccess) throws(DeviceError) {
        defer { mapCount += 1 }
        guard let range = IOVARange(start: iova, byteCount: UInt64(memory.byteCount)), refusedMapping != mapCount else {
            throw .mapDMA(device: url, range: IOVARange(first: 0, last: 0)!, reason: "the test refuses", fix: "None.")
        }
        do { try dma.map(range, to: memory.window, access: access) } catch {
            throw .mapDMA(device: url, range: range, reason: "\(error)", fix: "None.")
        }
    }

    func unmap(_ range: IOVARange) throws(DeviceError) {
        guard dma.unmap(range)?.isEmpty == false else { throw .unmapDMA(device: url, range: range, reason: "nothing is mapped there") }
    }

    func interruptCount(_ kind: InterruptKind) throws(DeviceError) -> Int { kind == .msix ? 9 : 0 }
    func enableInterrupts(_ kind: InterruptKind, eventfds: [Int32]) throws(DeviceError) {}
    func disableInterrupts(_ kind: InterruptKind) throws(DeviceError) {}
    func unmaskINTx() throws(DeviceError) {}
    func reset() throws(DeviceError) {}
    func checkPresence() throws(DeviceError) { if isGone { throw .gone(device: url, reason: "the test took it away") } }

    // The control queue is served whenever the driver waits.

    var progress: DeviceProgress? { self }
    override func armWake() -> Int32? { nil }
    override func disarmWake() {}

    override func step() -> Bool {
        let isSpread = !VirtioFeatures(rawValue: accepted).isDisjoint(with: [.multiqueue, .rss])
        let control = queues[isSpread ? 2 * Int(netConfig[8]) : 2]
        guard !controlIsSilent, control.isEnabled, let request = control.nextChain() else { return false }
        commands.append(request.bytes)
        control.answer(controlAnswer, to: request)
        return true
    }
}
