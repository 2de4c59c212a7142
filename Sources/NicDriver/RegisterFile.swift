public import DeviceAccess
import DeviceMemory
import LinuxIO
public import NicRegisters

/// The registers of one BAR for the control path: mapped where the device lets us, trapped elsewhere.
///
/// An access that fails reads as all-ones, as on a bus with nothing on it, and the first failure stays in ``fault``.
public final class RegisterFile: RegisterWindow {
    private let device: any DeviceAccess
    private let region: Int
    private let areas: [MappedArea]
    /// The first access that failed.
    public private(set) var fault: DeviceError?
    /// Doorbells that could not be mapped: cells of our own, sent on by ``forwardTrappedDoorbells()``.
    private var cells: [DoorbellCell] = []

    private final class DoorbellCell {
        let offset: Int
        let memory: DMAMemory
        var sent: UInt32 = 0
        init(offset: Int, memory: consuming DMAMemory) {
            self.offset = offset
            self.memory = memory
        }
    }

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
            if fault == nil { fault = error }
            return .max
        }
    }

    public func store32(_ value: UInt32, at offset: Int) {
        if let (window, at) = area(holding: offset) { return window.store32(value, at: at) }
        do {
            try device.writeRegion(region, at: UInt64(offset), UInt64(value), byteCount: 4)
        } catch {
            if fault == nil { fault = error }
        }
    }

    /// Throws what went wrong since the device was opened, if anything did.
    public func check() throws(DeviceError) { if let fault { throw fault } }

    /// A doorbell at a register: the mapped register itself, or a cell that is sent on.
    public func doorbell(_ register: Register<UInt32, ReadWrite>) throws(DeviceError) -> Doorbell {
        if let (window, at) = area(holding: register.offset) { return Doorbell(window, at: at) }
        do {
            let pages = try DMAMemory.ordinary(byteCount: 4, name: "unic-doorbell")
            let window = pages.window
            cells.append(DoorbellCell(offset: register.offset, memory: pages))
            return Doorbell(window, at: 0)
        } catch {
            throw .systemCall(device: device.url, group: nil, cause: error, fix: "Free some memory.")
        }
    }

    /// Some doorbell is trapped: call ``forwardTrappedDoorbells()`` after each batch.
    public var hasTrappedDoorbells: Bool { !cells.isEmpty }

    /// Writes doorbells that were rung since the last call through the seam.
    public func forwardTrappedDoorbells() {
        for cell in cells {
            let value = cell.memory.window.load32(at: 0)
            guard value != cell.sent else { continue }
            cell.sent = value
            store32(value, at: cell.offset)
        }
    }

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
