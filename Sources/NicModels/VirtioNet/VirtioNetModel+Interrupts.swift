import DeviceModel
import NicRegisters

/// Interrupts: of queues, and of configuration changes. "Used Buffer Notifications", "Notification of Device
/// Configuration Changes", "ISR status capability".
extension VirtioNetModel {
    /// After a queue's used buffers were published.
    @inline(__always)
    mutating func notifyUsed(_ queue: inout Virtqueue) {
        if queue.wantsInterrupt() { interrupt(queue.vector, .queue) }
    }

    /// Says that the device configuration, or NEEDS_RESET, has changed.
    mutating func notifyConfiguration() {
        common.interruptStatus.insert(.configuration)
        interrupt(common.configVector, .configuration)
    }

    /// MSI-X if config space enables it or a host connected the vector (kernel VFIO's clients never write the enable bit),
    /// else INTx.
    private mutating func interrupt(_ vector: UInt16, _ cause: Virtio.InterruptStatus) {
        guard mayAccessMemory else { return }
        if isMSIXEnabled || vector != Virtio.noVector && environment.interrupts.isConnected(.msix, vector: Int(vector)) {
            guard vector != Virtio.noVector else { return }
            counters.interrupts &+= 1
            environment.interrupts.trigger(.msix, vector: Int(vector))
            return
        }
        // A level: high until the driver reads the status.
        common.interruptStatus.insert(cause)
        if !environment.isINTxHigh { counters.interrupts &+= 1 }
        environment.setINTx(true)
    }

    /// Message control's upper bit (PCI Local Bus 3.0 §6.8.2).
    private var isMSIXEnabled: Bool { environment.config.count >= 256 && environment.config[Place.msixCapability + 3] & 0x80 != 0 }

    /// A read clears it and takes the line back.
    mutating func takeInterruptStatus() -> Virtio.InterruptStatus {
        let status = common.interruptStatus
        common.interruptStatus = []
        environment.setINTx(false)
        return status
    }

    // MARK: Link

    /// The wire's carrier is the link.
    mutating func checkLink() {
        let isUp = wire.hasCarrier
        guard isUp != configuration.status.contains(.linkUp) else { return }
        var status = configuration.status
        if isUp { status.insert(.linkUp) } else { status.remove(.linkUp) }
        configuration.status = status
        if common.status.contains(.driverOK) { notifyConfiguration() }
    }

    /// Asks the driver to make itself known on the network. "Gratuitous Packet Sending". False: it did not negotiate that,
    /// or there is no link.
    public mutating func requestAnnouncement() -> Bool {
        guard common.status.contains(.driverOK), common.features.contains([.guestAnnounce, .status]),
            configuration.status.contains(.linkUp)
        else { return false }
        configuration.status.insert(.announce)
        notifyConfiguration()
        return true
    }
}
