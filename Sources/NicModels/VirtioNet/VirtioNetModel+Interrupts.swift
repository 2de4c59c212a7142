import DeviceModel
import NicRegisters
import VirtioModel

/// Interrupts of queues and of configuration changes, and the link that causes the latter.
extension VirtioNetModel {
    /// After a queue's used buffers were published.
    @inline(__always)
    mutating func notifyUsed(_ queue: inout Virtqueue) {
        if queue.wantsInterrupt(), transport.interruptForQueue(queue.vector) { counters.interrupts &+= 1 }
    }

    /// Says that the device configuration, or NEEDS_RESET, has changed.
    mutating func notifyConfiguration() {
        if transport.interruptForConfiguration() { counters.interrupts &+= 1 }
    }

    // MARK: Link

    /// The wire's carrier is the link.
    mutating func checkLink() {
        let isUp = wire.hasCarrier
        guard isUp != configuration.status.contains(.linkUp) else { return }
        var status = configuration.status
        if isUp { status.insert(.linkUp) } else { status.remove(.linkUp) }
        configuration.status = status
        if transport.status.contains(.driverOK) { notifyConfiguration() }
    }

    /// Asks the driver to make itself known on the network. "Gratuitous Packet Sending". False: it did not negotiate that,
    /// or there is no link.
    public mutating func requestAnnouncement() -> Bool {
        guard transport.status.contains(.driverOK), transport.features.contains([.guestAnnounce, .status]),
            configuration.status.contains(.linkUp)
        else { return false }
        configuration.status.insert(.announce)
        notifyConfiguration()
        return true
    }
}
