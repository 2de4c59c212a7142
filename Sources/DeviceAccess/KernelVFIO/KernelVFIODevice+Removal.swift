import CLinuxShims
import LinuxIO
import SystemPackage

extension KernelVFIODevice {
    /// The kernel signals this when the function is being removed or its driver unbound, and waits until it is closed
    /// (VFIO_PCI_REQ_IRQ_INDEX). ``enableInterrupts(_:eventfds:)`` for `.request` takes the signal over.
    static func removalSignal(of device: borrowing OwnedDescriptor, _ subject: VFIOSubject) -> EventFD? {
        guard let event = try? EventFD() else { return nil }
        var bytes = InterruptRequest.signal(.request, eventfds: [event.number])
        do {
            try device.ioctl(
                UInt(unic_vfio_device_set_irqs), bytes: &bytes, call: "VFIO_DEVICE_SET_IRQS", on: "the request signal of \(subject.address)"
            )
        } catch { return nil }
        return event
    }

    /// For any thread: asks for the removal signal, then reads revision and class from the hardware. Not the vendor id,
    /// which vfio-pci answers from a copy.
    public func checkPresence() throws(DeviceError) {
        if isAskedFor { throw .gone(device: url, reason: "the kernel wants it back: it was removed, or its driver is being unbound") }
        let word: UInt32
        do { word = try readConfig(at: 0x08, byteCount: 4) } catch {
            throw .gone(device: url, reason: "its config space cannot be read (\(error))")
        }
        guard word != .max else { throw .gone(device: url, reason: "its config space reads as all ones at 0x8") }
    }

    /// Looked at and not emptied: it stays so.
    private var isAskedFor: Bool {
        switch removal {
        case .some(let event): waitForReadable([event.number], timeoutMilliseconds: 0).isEmpty == false
        case .none: false
        }
    }
}
