import DeviceAccess
import DeviceMemory
import HostBack
import LinuxIO
import SystemPackage

/// A PCI function as the kernel's VFIO shows one: config space of 256 bytes, BAR 0 with two mappable areas around a trapped page,
/// BAR 2 of I/O, MSI-X, and a log of what was done to it.
final class ScriptedFunction: HostFunction {
    let url = "vfio:test"
    var config = [UInt8](repeating: 0, count: 256)
    private(set) var log: [String] = []
    var refusesAccesses = false
    var canReset = true
    /// In place of the device's file.
    private let file: OwnedDescriptor

    init() throws {
        file = try MemoryFile.create(name: "test-device", byteCount: 1 << 20)
        config[0] = 0x86
        config[1] = 0x80
        config[0x18] = 1
    }

    private func refusal(_ region: Int) -> DeviceError {
        .badAccess(device: url, region: region, offset: 0, byteCount: 0, reason: "the test refuses")
    }

    /// The device's registers, as who maps its file sees them.
    func store(_ value: UInt8, at offset: Int64) throws { try file.write([value], at: offset, subject: "test-device") }

    func takeLog() -> [String] {
        defer { log = [] }
        return log
    }

    func readConfig(at offset: Int, byteCount: Int) throws(DeviceError) -> UInt32 {
        log.append("read config \(offset) \(byteCount)")
        if refusesAccesses { throw refusal(7) }
        return (0..<byteCount).reduce(0) { $0 | UInt32(config[offset + $1]) << UInt32(8 * $1) }
    }
    /// The kernel keeps the identity.
    func writeConfig(_ value: UInt32, at offset: Int, byteCount: Int) throws(DeviceError) {
        log.append("write config \(offset) \(byteCount) \(value)")
        if refusesAccesses { throw refusal(7) }
        for index in 0..<byteCount where offset + index >= 4 {
            config[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index))
        }
    }
    func regionInfo(_ region: Int) throws(DeviceError) -> RegionInfo {
        switch region {
        case 0: RegionInfo(byteCount: 0x4000, mmappableAreas: [0..<0x1000, 0x2000..<0x4000])
        case 2: RegionInfo(byteCount: 32)
        case 4: RegionInfo(byteCount: 2048, mmappableAreas: [0..<2048])
        case 7: RegionInfo(byteCount: UInt64(config.count))
        default: RegionInfo(byteCount: 0, isReadable: false, isWritable: false)
        }
    }
    func fileOffset(ofRegion region: Int) throws(DeviceError) -> UInt64 { UInt64(region + 1) << 16 }
    func duplicateFile(ofRegion region: Int) throws(DeviceError) -> OwnedDescriptor {
        do { return try file.duplicate() } catch { throw .systemCall(device: url, group: nil, cause: error, fix: "None.") }
    }
    var inode: UInt64 { (try? FileFacts(of: file.number).inode) ?? 0 }
    func readRegion(_ region: Int, at offset: UInt64, byteCount: Int) throws(DeviceError) -> UInt64 {
        log.append("read \(region) \(offset) \(byteCount)")
        if refusesAccesses { throw refusal(region) }
        return 0x1122_3344_5566_7788 >> UInt64(64 - 8 * byteCount)
    }
    func writeRegion(_ region: Int, at offset: UInt64, _ value: UInt64, byteCount: Int) throws(DeviceError) {
        log.append("write \(region) \(offset) \(byteCount) \(value)")
        if refusesAccesses { throw refusal(region) }
    }
    func interruptCount(_ kind: InterruptKind) throws(DeviceError) -> Int { [.intx: 1, .msix: 3, .request: 1][kind] ?? 0 }
    /// The descriptors' numbers are whatever they are: the log says which are there.
    func enableInterrupts(_ kind: InterruptKind, eventfds: [Int32]) throws(DeviceError) {
        log.append("\(kind) \(eventfds.map { $0 < 0 ? "-" : "fd" }.joined(separator: " "))")
        if refusesAccesses { throw refusal(0) }
    }
    func disableInterrupts(_ kind: InterruptKind) throws(DeviceError) { log.append("\(kind) off") }
    func maskINTx() throws(DeviceError) { log.append("mask") }
    func unmaskINTx() throws(DeviceError) { log.append("unmask") }
    func unmaskINTx(by eventfd: Int32?) throws(DeviceError) { log.append(eventfd == nil ? "unmask by nothing" : "unmask by fd") }
    func reset() throws(DeviceError) {
        log.append("reset")
        if !canReset { throw .notUsable(device: url, group: nil, reason: "no reset", fix: "None.") }
    }

    // Not of a function that is given on.
    var dmaLimits: DMALimits { DMALimits(windows: [], pageSizes: 4096, maximumMappings: 0) }
    func mapAreas(of region: Int) throws(DeviceError) -> [MappedArea] { [] }
    func map(_ memory: borrowing DMAMemory, at iova: IOVA, access: DMAAccess) throws(DeviceError) { throw refusal(0) }
    func unmap(_ range: IOVARange) throws(DeviceError) { throw refusal(0) }
    func checkPresence() throws(DeviceError) {}
    var progress: DeviceProgress? { nil }
}
