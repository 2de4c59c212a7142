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

/// The memory of a guest: each piece at an address that the IOMMU function's connection is told, and those of models.
final class GuestRAM {
    private var connections: [VfioUserDevice]
    private var next: UInt64 = 0x1_0000_0000

    init(_ iommu: VfioUserDevice) { connections = [iommu] }

    /// What comes from now on is told to this one, too, as QEMU tells all.
    func tell(_ nic: VfioUserDevice) { connections.append(nic) }

    func add(_ memory: borrowing DMAMemory) throws(DeviceError) -> UInt64 {
        let address = next
        // A page stays free between two pieces.
        next += UInt64(memory.byteCount) + 4096
        for connection in connections { try connection.map(memory, at: IOVA(address), access: .readWrite) }
        return address
    }

    func remove(at address: UInt64, byteCount: UInt64) throws(DeviceError) {
        guard let range = IOVARange(start: IOVA(address), byteCount: byteCount) else { return }
        for connection in connections { try connection.unmap(range) }
    }
}

/// Maps with the guest's IOMMU: what a driver maps becomes memory of the guest, then a MAP request.
final class GuestIOMMUMaps: DeviceMaps {
    let domain: UInt32
    private let url: String
    private let driver: GuestIOMMUDriver
    private let ram: GuestRAM
    /// Where each mapping lies in the guest's memory.
    private var mapped: [IOVARange: UInt64] = [:]

    init(_ url: String, driver: GuestIOMMUDriver, ram: GuestRAM, domain: UInt32) {
        self.url = url
        self.driver = driver
        self.ram = ram
        self.domain = domain
    }

    func map(_ memory: borrowing DMAMemory, _ range: IOVARange, access: DMAAccess) throws(DeviceError) {
        let physical = try ram.add(memory)
        let status = (try? driver.map(domain: domain, range.start.rawValue, range.last, to: physical, flags: access.rawValue)) ?? 0xff
        guard status == 0 else {
            throw .mapDMA(device: url, range: range, reason: "MAP was answered with \(status)", fix: "See the relay's status.")
        }
        mapped[range] = physical
    }

    /// The guest's memory behind a mapping goes, and the mapping stays.
    func loseMemory(of range: IOVARange) throws(DeviceError) {
        if let physical = mapped[range] { try ram.remove(at: physical, byteCount: range.byteCount) }
    }

    func unmap(_ range: IOVARange) throws(DeviceError) {
        guard let physical = mapped.removeValue(forKey: range) else { return }
        let status = (try? driver.unmap(domain: domain, range.start.rawValue, range.last)) ?? 0xff
        guard status == 0 else { throw .unmapDMA(device: url, range: range, reason: "UNMAP was answered with \(status)") }
        try ram.remove(at: physical, byteCount: range.byteCount)
    }
}
