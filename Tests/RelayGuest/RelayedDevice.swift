import DeviceAccess
import DeviceMemory
import VfioUser

/// How what a NIC's driver maps reaches the relay.
protocol DeviceMaps: AnyObject {
    func map(_ memory: borrowing DMAMemory, _ range: IOVARange, access: DMAAccess) throws(DeviceError)
    func unmap(_ range: IOVARange) throws(DeviceError)
}

/// A NIC behind an IOMMU as the guest's driver sees it, which maps inside of given windows.
final class RelayedDevice: DeviceAccess {
    let url: String
    let dmaLimits: DMALimits
    private let nic: VfioUserDevice
    private let maps: any DeviceMaps
    private(set) var mapped: Set<IOVARange> = []
    /// What lies there, as this process has it.
    private var memories: [IOVARange: MemoryWindow] = [:]

    init(_ nic: VfioUserDevice, maps: any DeviceMaps, windows: [IOVARange]) {
        url = nic.url
        self.nic = nic
        self.maps = maps
        dmaLimits = DMALimits(windows: windows, pageSizes: 4096, maximumMappings: .max)
    }

    func map(_ memory: borrowing DMAMemory, at iova: IOVA, access: DMAAccess) throws(DeviceError) {
        guard let range = IOVARange(start: iova, byteCount: UInt64(memory.byteCount)) else { return }
        try maps.map(memory, range, access: access)
        mapped.insert(range)
        memories[range] = memory.window
    }

    /// Of all bytes that are mapped for the NIC (FNV-1a over words of 64 bits). The memory has to be there.
    var digest: UInt64 {
        var digest: UInt64 = 0xcbf2_9ce4_8422_2325
        for (_, memory) in memories.sorted(by: { $0.key.start < $1.key.start }) {
            for offset in stride(from: 0, to: memory.byteCount - 7, by: 8) {
                digest = (digest ^ memory.load64(at: offset)) &* 0x100_0000_01b3
            }
        }
        return digest
    }

    func unmap(_ range: IOVARange) throws(DeviceError) {
        guard mapped.remove(range) != nil else { return }
        memories[range] = nil
        try maps.unmap(range)
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
    var progress: DeviceProgress? { nil }
}
