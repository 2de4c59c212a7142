import DeviceAccess
import DeviceMemory
import LinuxIO
import NicRegisters

/// An 82574L whose every answer the test writes: registers are a dictionary, rings and doorbells are memory that the
/// test reads and writes as a hostile device would. Stands beside the driver suite, which runs on real models and NICs.
final class ScriptedDevice: DeviceAccess {
    let url = "soft:scripted"
    var registers = powerOn
    static let powerOn: [Int: UInt32] = [
        E1000E.status.offset: E1000E.Status.linkUp.rawValue,
        E1000E.eecd.offset: E1000E.NVMControl.autoReadDone.rawValue,
        E1000E.ral[0].offset: 0x0000_0002,
        E1000E.rah[0].offset: 0x8000_0100,
    ]
    var config: [UInt32: UInt32] = [:]
    let dma = DMASpace()
    /// Registers that always read as this, whatever was written.
    var stuck: [Int: UInt32] = [:]
    /// Every region access fails from now on.
    var isGone = false
    /// The mapping with this number, counted from zero, is refused.
    var refusedMapping: Int?
    var offersDoorbells = true
    private(set) var isBusMaster = false
    private(set) var mapCount = 0
    private let bar: DMAMemory

    init() throws { bar = try DMAMemory.ordinary(byteCount: 8192, name: "scripted-bar") }

    private var area: MappedArea { MappedArea(offset: 0x2000, window: bar.window) }

    func readConfig(at offset: Int, byteCount: Int) throws(DeviceError) -> UInt32 { offset == 4 && isBusMaster ? 4 : 0 }
    func writeConfig(_ value: UInt32, at offset: Int, byteCount: Int) throws(DeviceError) {
        if offset == 4 { isBusMaster = value & 4 != 0 }
    }
    func regionInfo(_ region: Int) throws(DeviceError) -> RegionInfo { RegionInfo(byteCount: 0x20000) }
    func mapAreas(of region: Int) throws(DeviceError) -> [MappedArea] { offersDoorbells ? [area] : [] }

    func readRegion(_ region: Int, at offset: UInt64, byteCount: Int) throws(DeviceError) -> UInt64 {
        if isGone { throw .gone(device: url, reason: "the test took it away") }
        if let value = stuck[Int(offset)] { return UInt64(value) }
        return UInt64(registers[Int(offset)] ?? 0)
    }

    func writeRegion(_ region: Int, at offset: UInt64, _ value: UInt64, byteCount: Int) throws(DeviceError) {
        if isGone { throw .gone(device: url, reason: "the test took it away") }
        var value = UInt32(truncatingIfNeeded: value)
        if Int(offset) == E1000E.ctrl.offset { value &= ~E1000E.Control.reset.rawValue }
        if Int(offset) == E1000E.eerd.offset { value |= E1000E.NVMRead.done.rawValue }
        registers[Int(offset)] = value
    }

    var dmaLimits: DMALimits {
        DMALimits(
            windows: [IOVARange(first: 0x1_0000_0000, last: 0x1_ffff_ffff)].compactMap { $0 }, pageSizes: pageSizes, maximumMappings: 16,
            seesPhysicalAddresses: physicalPlace != nil)
    }
    var pageSizes: UInt64 = 4096
    /// Where all memory lies physically, for a device without an IOMMU.
    var physicalPlace: IOVA?

    func place(_ memory: borrowing DMAMemory, in iovas: inout IOVAAllocator) throws(DeviceError) -> IOVARange {
        guard let physicalPlace, let range = IOVARange(start: physicalPlace, byteCount: UInt64(memory.byteCount)) else {
            return try freePlace(for: memory, in: &iovas)
        }
        self.physicalPlace = IOVA(range.last + 1)
        return range
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

    func interruptCount(_ kind: InterruptKind) throws(DeviceError) -> Int { kind == .msix ? 5 : 0 }
    func enableInterrupts(_ kind: InterruptKind, eventfds: [Int32]) throws(DeviceError) {}
    func disableInterrupts(_ kind: InterruptKind) throws(DeviceError) {}
    func unmaskINTx() throws(DeviceError) {}
    func reset() throws(DeviceError) {}
    func checkPresence() throws(DeviceError) { if isGone { throw .gone(device: url, reason: "the test took it away") } }
    var progress: DeviceProgress? { nil }

    /// Comes back at the next wish, with the registers of a new device.
    var comesBack = false
    var canReconnect: Bool { comesBack }
    func reconnect(timeoutMilliseconds: UInt64) throws(DeviceError) {
        guard comesBack else { throw .gone(device: url, reason: "the test keeps it away") }
        isGone = false
        isBusMaster = false
        registers = ScriptedDevice.powerOn
        bar.window.fill(0)
    }

    // The device's side.

    func register(_ offset: Int) -> UInt32 {
        offersDoorbells && (0x2000..<0x4000).contains(offset) ? bar.window.load32(at: offset - 0x2000) : registers[offset] ?? 0
    }

    private func ring(_ low: Int, _ high: Int) -> IOVA { IOVA(UInt64(register(low)) | UInt64(register(high)) << 32) }
    var receiveRing: IOVA { ring(E1000E.rdbal[0].offset, E1000E.rdbah[0].offset) }
    var transmitRing: IOVA { ring(E1000E.tdbal[0].offset, E1000E.tdbah[0].offset) }

    func word(_ ring: IOVA, _ slot: Int, _ half: Int) -> UInt64 {
        dma.translate(IOVA(ring.rawValue + UInt64(slot * 16 + half * 8)), byteCount: 8, access: .read)?.load64(at: 0) ?? 0
    }

    func setWord(_ ring: IOVA, _ slot: Int, _ half: Int, _ value: UInt64) {
        dma.translate(IOVA(ring.rawValue + UInt64(slot * 16 + half * 8)), byteCount: 8, access: .write)?.store64(value, at: 0)
    }

    /// Marks a receive descriptor done.
    func complete(_ slot: Int, status: E1000E.RxStatus = [.done, .endOfPacket], length: UInt16) {
        setWord(receiveRing, slot, 1, E1000E.RxWriteBack(status: status, length: length).word1)
    }
}
