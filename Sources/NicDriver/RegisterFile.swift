public import DeviceAccess
import DeviceMemory
import LinuxIO
public import NicRegisters
import Synchronization

/// The registers of one BAR for the control path: mapped where the device lets us, trapped elsewhere.
///
/// An access that fails reads as all-ones, as on a bus with nothing on it, and the first failure stays in ``fault``.
/// Single accesses may come from any thread, as far as the device lets them (DeviceAccess); `modify` is the control thread's.
public final class RegisterFile: RegisterWindow {
    private let device: any DeviceAccess
    private let region: Int
    private let areas: [MappedArea]
    private let firstFault = Mutex<DeviceError?>(nil)
    /// The first access that failed.
    public var fault: DeviceError? { firstFault.withLock { $0 } }

    public init(_ device: any DeviceAccess, region: Int) throws(DeviceError) {
        self.device = device
        self.region = region
        areas = try device.mapAreas(of: region)
    }

    private func area(holding offset: Int) -> (MemoryWindow, Int)? {
        for area in areas {
            let inside = UInt64(offset) &- area.offset
            if UInt64(offset) >= area.offset, area.window.contains(offset: inside, byteCount: 4) { return (area.window, Int(inside)) }
        }
        return nil
    }

    public func load32(at offset: Int) -> UInt32 {
        if let (window, at) = area(holding: offset) { return window.load32(at: at) }
        do {
            return UInt32(truncatingIfNeeded: try device.readRegion(region, at: UInt64(offset), byteCount: 4))
        } catch {
            note(error)
            return .max
        }
    }

    public func store32(_ value: UInt32, at offset: Int) {
        if let (window, at) = area(holding: offset) { return window.store32(value, at: at) }
        do {
            try device.writeRegion(region, at: UInt64(offset), UInt64(value), byteCount: 4)
        } catch { note(error) }
    }

    private func note(_ error: DeviceError) { firstFault.withLock { if $0 == nil { $0 = error } } }

    /// The device has come back: what failed before says nothing any more.
    func forgetFault() { firstFault.withLock { $0 = nil } }

    /// Throws what went wrong since the device was opened, if anything did.
    public func check() throws(DeviceError) { if let fault { throw fault } }

    /// The doorbell of a register if that is mapped.
    func mappedDoorbell(at offset: Int) -> Doorbell? { area(holding: offset).map { Doorbell($0, at: $1) } }

    /// Waits until `register & mask == value`. Bounded; all-ones means that the device is gone.
    public func wait<Value, Access: ReadableAccess>(
        for register: Register<Value, Access>, named name: String, mask: UInt32, value: UInt32, milliseconds: UInt64,
        between step: () -> Void = {}
    ) throws(PortError) {
        let deadline = Deadline(afterMilliseconds: milliseconds)
        while true {
            let isLast = deadline.hasPassed
            let now = read(register).bits
            if let fault { throw .device(fault) }
            if now == .max { throw .device(.gone(device: device.url, reason: "register \(name) reads all-ones")) }
            if now & mask == value { return }
            if isLast {
                throw .registerTimeout(url: device.url, register: name, mask: mask, lastValue: now, milliseconds: milliseconds)
            }
            step()
            Processor.yield()
        }
    }
}
