import DeviceAccess
import DeviceMemory
import LinuxIO
import VfioUser

/// How the guest's IOMMU driver reaches its function: by messages.
final class IOMMUAccess: GuestFunctionAccess {
    let device: VfioUserDevice
    init(_ device: VfioUserDevice) { self.device = device }

    /// A failed access is one of a guest's: all ones.
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

/// The memory of a guest: each piece at an address that the IOMMU function's connection is told.
final class GuestRAM {
    private let iommu: VfioUserDevice
    private var next: UInt64 = 0x1_0000_0000

    init(_ iommu: VfioUserDevice) { self.iommu = iommu }

    func add(_ memory: borrowing DMAMemory) throws(DeviceError) -> UInt64 {
        let address = next
        // A page stays free between two pieces.
        next += UInt64(memory.byteCount) + 4096
        try iommu.map(memory, at: IOVA(address), access: .readWrite)
        return address
    }

    func remove(at address: UInt64, byteCount: UInt64) throws(DeviceError) {
        guard let range = IOVARange(start: IOVA(address), byteCount: byteCount) else { return }
        try iommu.unmap(range)
    }
}

/// A NIC behind the guest's IOMMU as the guest's driver sees it: what it maps becomes memory of the guest, then a MAP request.
final class RelayedDevice: DeviceAccess {
    let url: String
    let dmaLimits: DMALimits
    let domain: UInt32
    private let nic: VfioUserDevice
    private let driver: GuestIOMMUDriver
    private let ram: GuestRAM
    /// Where each mapping lies in the guest's memory.
    private(set) var mapped: [IOVARange: UInt64] = [:]
    /// What lies there, as this process has it.
    private var windows: [IOVARange: MemoryWindow] = [:]

    init(_ nic: VfioUserDevice, driver: GuestIOMMUDriver, ram: GuestRAM, domain: UInt32, windows: [IOVARange]) {
        url = nic.url
        self.nic = nic
        self.driver = driver
        self.ram = ram
        self.domain = domain
        dmaLimits = DMALimits(windows: windows, pageSizes: 4096, maximumMappings: .max)
    }

    func map(_ memory: borrowing DMAMemory, at iova: IOVA, access: DMAAccess) throws(DeviceError) {
        guard let range = IOVARange(start: iova, byteCount: UInt64(memory.byteCount)) else { return }
        let physical = try ram.add(memory)
        let status = (try? driver.map(domain: domain, range.start.rawValue, range.last, to: physical, flags: access.rawValue)) ?? 0xff
        guard status == 0 else {
            throw .mapDMA(device: url, range: range, reason: "MAP was answered with \(status)", fix: "See the relay's status.")
        }
        mapped[range] = physical
        windows[range] = memory.window
    }

    /// Of all bytes that are mapped for the NIC (FNV-1a over words of 64 bits). The memory has to be there.
    var digest: UInt64 {
        var digest: UInt64 = 0xcbf2_9ce4_8422_2325
        for (_, window) in windows.sorted(by: { $0.key.start < $1.key.start }) {
            for offset in stride(from: 0, to: window.byteCount - 7, by: 8) {
                digest = (digest ^ window.load64(at: offset)) &* 0x100_0000_01b3
            }
        }
        return digest
    }

    /// The guest's memory behind a mapping goes, and the mapping stays.
    func loseMemory(of range: IOVARange) throws(DeviceError) {
        if let physical = mapped[range] { try ram.remove(at: physical, byteCount: range.byteCount) }
    }

    func unmap(_ range: IOVARange) throws(DeviceError) {
        guard let physical = mapped.removeValue(forKey: range) else { return }
        windows[range] = nil
        let status = (try? driver.unmap(domain: domain, range.start.rawValue, range.last)) ?? 0xff
        guard status == 0 else { throw .unmapDMA(device: url, range: range, reason: "UNMAP was answered with \(status)") }
        try ram.remove(at: physical, byteCount: range.byteCount)
    }

    // What the NIC's own connection does.
    func readConfig(at offset: Int, byteCount: Int) throws(DeviceError) -> UInt32 { try nic.readConfig(at: offset, byteCount: byteCount) }
    func writeConfig(_ value: UInt32, at offset: Int, byteCount: Int) throws(DeviceError) {
        try nic.writeConfig(value, at: offset, byteCount: byteCount)
    }
    func regionInfo(_ region: Int) throws(DeviceError) -> RegionInfo { try nic.regionInfo(region) }
    func mapAreas(of region: Int) throws(DeviceError) -> [MappedArea] { try nic.mapAreas(of: region) }
    func readRegion(_ region: Int, at offset: UInt64, byteCount: Int) throws(DeviceError) -> UInt64 {
        try nic.readRegion(region, at: offset, byteCount: byteCount)
    }
    func writeRegion(_ region: Int, at offset: UInt64, _ value: UInt64, byteCount: Int) throws(DeviceError) {
        try nic.writeRegion(region, at: offset, value, byteCount: byteCount)
    }
    func interruptCount(_ kind: InterruptKind) throws(DeviceError) -> Int { try nic.interruptCount(kind) }
    func enableInterrupts(_ kind: InterruptKind, eventfds: [Int32]) throws(DeviceError) {
        try nic.enableInterrupts(kind, eventfds: eventfds)
    }
    func disableInterrupts(_ kind: InterruptKind) throws(DeviceError) { try nic.disableInterrupts(kind) }
    func unmaskINTx() throws(DeviceError) { try nic.unmaskINTx() }
    func reset() throws(DeviceError) { try nic.reset() }
    func checkPresence() throws(DeviceError) { try nic.checkPresence() }
    var progress: (any DeviceProgress)? { nil }
}
