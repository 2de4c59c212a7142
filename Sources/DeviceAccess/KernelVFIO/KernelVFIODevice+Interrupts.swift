import CLinuxShims
import LinuxIO
import SystemPackage

extension KernelVFIODevice {
    /// VFIO_DEVICE_GET_IRQ_INFO; 0 for a kind that the device or its kernel does not have.
    public func interruptCount(_ kind: InterruptKind) throws(DeviceError) -> Int {
        do {
            return try withDevice { file throws(SystemCallError) in
                var info = vfio_irq_info()
                info.argsz = UInt32(MemoryLayout<vfio_irq_info>.size)
                info.index = UInt32(kind.rawValue)
                try file.ioctl(UInt(unic_vfio_device_get_irq_info), &info, call: "VFIO_DEVICE_GET_IRQ_INFO", on: "\(kind) of \(address)")
                return Int(info.count)
            }
        } catch {
            // VFIO_PCI_ERR_IRQ_INDEX of a device that is not PCI Express is answered so.
            guard error.errno == .invalidArgument else { throw subject.failed(error, fix: "See `dmesg`.") }
            return 0
        }
    }

    /// INTx, MSI and MSI-X exclude one another: whichever was on is switched off first. An entry of -1 skips a vector.
    /// No entries: the same as ``disableInterrupts(_:)``.
    public func enableInterrupts(_ kind: InterruptKind, eventfds: [Int32]) throws(DeviceError) {
        let available = try interruptCount(kind)
        guard eventfds.count <= available else {
            throw subject.notUsable(
                "\(eventfds.count) vectors of \(kind) are wanted and the device has \(available)",
                fix: "Use fewer queues, or another kind of interrupt.")
        }
        if let enabledKind, KernelVFIODevice.excludeOneAnother(enabledKind, kind) { try disableInterrupts(enabledKind) }
        guard !eventfds.isEmpty else { return try disableInterrupts(kind) }
        let result = try set(InterruptRequest.signal(kind, eventfds: eventfds), "\(kind), \(eventfds.count) vectors of \(address)")
        // Without room for all, the kernel says how many there would be, and sets none.
        guard result == 0 else {
            throw subject.notUsable(
                "the kernel has \(result) vectors of \(kind) left and \(eventfds.count) are wanted", fix: "Use \(result) vectors.")
        }
        if KernelVFIODevice.excludeOneAnother(kind, kind) { enabledKind = kind }
    }

    public func disableInterrupts(_ kind: InterruptKind) throws(DeviceError) {
        guard try interruptCount(kind) > 0 else { return }
        // The kernel refuses to switch off what is not on, except for the last two kinds.
        if KernelVFIODevice.excludeOneAnother(kind, kind), enabledKind != kind { return }
        try set(InterruptRequest.disable(kind), "\(kind) off, of \(address)")
        if kind == .request { try watchForRemoval() }
        if enabledKind == kind { enabledKind = nil }
    }

    /// Takes the request signal back from whom it was given to.
    private func watchForRemoval() throws(DeviceError) {
        switch removal {
        case .some(let event): try set(InterruptRequest.signal(.request, eventfds: [event.number]), "the request signal of \(address)")
        case .none: break
        }
    }

    public func unmaskINTx() throws(DeviceError) {
        try set(InterruptRequest.unmaskINTx(), "INTx unmasked, of \(address)")
    }

    /// Holds INTx back until it is unmasked.
    public func maskINTx() throws(DeviceError) { try set(InterruptRequest.maskINTx(), "INTx masked, of \(address)") }

    /// An eventfd, which stays the caller's, whose signal unmasks INTx without this process; nil: none.
    public func unmaskINTx(by eventfd: Int32?) throws(DeviceError) {
        try set(InterruptRequest.unmaskINTx(by: eventfd ?? -1), "INTx unmasked by an eventfd, of \(address)")
    }

    private static func excludeOneAnother(_ one: InterruptKind, _ other: InterruptKind) -> Bool {
        let lines: [InterruptKind] = [.intx, .msi, .msix]
        return lines.contains(one) && lines.contains(other)
    }

    @discardableResult
    private func set(_ request: [UInt8], _ what: String) throws(DeviceError) -> Int32 {
        do {
            return try withDevice { file throws(SystemCallError) in
                var bytes = request
                return try file.ioctl(UInt(unic_vfio_device_set_irqs), bytes: &bytes, call: "VFIO_DEVICE_SET_IRQS", on: what)
            }
        } catch { throw subject.cannotSetInterrupts(error) }
    }
}
