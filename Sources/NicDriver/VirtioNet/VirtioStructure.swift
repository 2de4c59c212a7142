import DeviceAccess
import DeviceMemory
import NicRegisters
import Synchronization

/// One structure of a virtio PCI function: a piece of a BAR, accessed with the width of each field, as the specification
/// demands (virtio 1.2 "PCI Device Layout"): mapped where the device lets us, trapped elsewhere.
///
/// An access that fails reads as all-ones, as on a bus with nothing on it, and the first failure stays in the fault.
/// Single accesses may come from any thread, as far as the device lets them (DeviceAccess).
final class VirtioStructure: VirtioFieldWindow {
    let byteCount: Int
    private let device: any DeviceAccess
    private let location: VirtioLocation
    private let window: MemoryWindow?
    private let fault: VirtioFault

    /// - Parameters:
    ///   - location: lies inside its BAR.
    ///   - areas: the BAR's mapped parts.
    init(_ device: any DeviceAccess, _ location: VirtioLocation, areas: [MappedArea], fault: VirtioFault) {
        self.device = device
        self.location = location
        self.fault = fault
        byteCount = Int(location.byteCount)
        window =
            areas.lazy.compactMap { area -> MemoryWindow? in
                let inside = UInt64(location.offset) &- area.offset
                guard UInt64(location.offset) >= area.offset, area.window.contains(offset: inside, byteCount: UInt64(location.byteCount))
                else {
                    return nil
                }
                return area.window.slice(at: Int(inside), byteCount: Int(location.byteCount))
            }.first
    }

    func load8(at offset: Int) -> UInt8 { window?.load8(at: offset) ?? UInt8(truncatingIfNeeded: trappedLoad(offset, 1)) }
    func load16(at offset: Int) -> UInt16 { window?.load16(at: offset) ?? UInt16(truncatingIfNeeded: trappedLoad(offset, 2)) }
    func load32(at offset: Int) -> UInt32 { window?.load32(at: offset) ?? UInt32(truncatingIfNeeded: trappedLoad(offset, 4)) }

    func store8(_ value: UInt8, at offset: Int) {
        if let window { window.store8(value, at: offset) } else { trappedStore(offset, UInt64(value), 1) }
    }
    func store16(_ value: UInt16, at offset: Int) {
        if let window { window.store16(value, at: offset) } else { trappedStore(offset, UInt64(value), 2) }
    }
    func store32(_ value: UInt32, at offset: Int) {
        if let window { window.store32(value, at: offset) } else { trappedStore(offset, UInt64(value), 4) }
    }

    /// A 16-bit field as a doorbell, if it is mapped.
    func doorbell(at offset: Int) -> Doorbell16? { window.map { Doorbell16($0, at: offset) } }

    private func trappedLoad(_ offset: Int, _ byteCount: Int) -> UInt64 {
        do {
            return try device.readRegion(location.bar, at: UInt64(location.offset) + UInt64(offset), byteCount: byteCount)
        } catch {
            fault.note(error)
            return .max
        }
    }

    private func trappedStore(_ offset: Int, _ value: UInt64, _ byteCount: Int) {
        do {
            try device.writeRegion(location.bar, at: UInt64(location.offset) + UInt64(offset), value, byteCount: byteCount)
        } catch { fault.note(error) }
    }
}

/// The first access to a function's structures that failed.
final class VirtioFault: Sendable {
    private let first = Mutex<DeviceError?>(nil)

    func note(_ error: DeviceError) { first.withLock { if $0 == nil { $0 = error } } }
    /// The device has come back: what failed before says nothing any more.
    func forget() { first.withLock { $0 = nil } }
    func check() throws(PortError) { if let error = first.withLock({ $0 }) { throw .device(error) } }
}
