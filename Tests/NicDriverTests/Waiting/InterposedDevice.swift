import DeviceAccess
import DeviceMemory

/// A device with a test's hand in between: `passes` is called before and after everything that a driver's thread does
/// with the device while it waits.
final class InterposedDevice: DeviceProgress, DeviceAccess {
    private let device: any DeviceAccess
    var passes: () -> Void = {}

    init(_ device: any DeviceAccess) { self.device = device }

    /// The model's own turn, which hardware takes whenever something is on its wire.
    func turn() { while device.progress?.step() == true {} }

    private func between<Result>(_ body: () throws(DeviceError) -> Result) throws(DeviceError) -> Result {
        passes()
        defer { passes() }
        return try body()
    }

    var url: String { device.url }
    func readConfig(at offset: Int, byteCount: Int) throws(DeviceError) -> UInt32 {
        try between { () throws(DeviceError) in try device.readConfig(at: offset, byteCount: byteCount) }
    }
    func writeConfig(_ value: UInt32, at offset: Int, byteCount: Int) throws(DeviceError) {
        try device.writeConfig(value, at: offset, byteCount: byteCount)
    }
    func regionInfo(_ region: Int) throws(DeviceError) -> RegionInfo { try device.regionInfo(region) }
    func mapAreas(of region: Int) throws(DeviceError) -> [MappedArea] { try device.mapAreas(of: region) }
    func readRegion(_ region: Int, at offset: UInt64, byteCount: Int) throws(DeviceError) -> UInt64 {
        try between { () throws(DeviceError) in try device.readRegion(region, at: offset, byteCount: byteCount) }
    }
    func writeRegion(_ region: Int, at offset: UInt64, _ value: UInt64, byteCount: Int) throws(DeviceError) {
        try between { () throws(DeviceError) in try device.writeRegion(region, at: offset, value, byteCount: byteCount) }
    }
    var dmaLimits: DMALimits { device.dmaLimits }
    func map(_ memory: borrowing DMAMemory, at iova: IOVA, access: DMAAccess) throws(DeviceError) {
        try device.map(memory, at: iova, access: access)
    }
    func unmap(_ range: IOVARange) throws(DeviceError) { try device.unmap(range) }
    func interruptCount(_ kind: InterruptKind) throws(DeviceError) -> Int { try device.interruptCount(kind) }
    func enableInterrupts(_ kind: InterruptKind, eventfds: [Int32]) throws(DeviceError) {
        try device.enableInterrupts(kind, eventfds: eventfds)
    }
    func disableInterrupts(_ kind: InterruptKind) throws(DeviceError) { try device.disableInterrupts(kind) }
    func unmaskINTx() throws(DeviceError) { try device.unmaskINTx() }
    func reset() throws(DeviceError) { try device.reset() }
    func checkPresence() throws(DeviceError) { try between { () throws(DeviceError) in try device.checkPresence() } }

    /// As hardware: nobody has to give it a turn.
    var goesByItself = false
    var progress: DeviceProgress? { device.progress == nil || goesByItself ? nil : self }

    override func step() -> Bool {
        passes()
        defer { passes() }
        return device.progress?.step() ?? false
    }
    /// A device that goes on by itself wakes nobody but by its interrupts.
    override func armWake() -> Int32? {
        passes()
        passes()
        return nil
    }
    override func disarmWake() { passes() }
}
