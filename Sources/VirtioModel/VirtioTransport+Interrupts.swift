import DeviceModel
import NicRegisters

/// Interrupts: of queues, and of configuration changes. "Used Buffer Notifications", "Notification of Device
/// Configuration Changes", "ISR status capability".
extension VirtioTransport {
    /// For a queue whose used buffers were published, and whose driver wants it.
    /// - Returns: whether there was an interrupt.
    public mutating func interruptForQueue(_ vector: UInt16) -> Bool { interrupt(vector, .queue) }

    /// Says that the device configuration, or NEEDS_RESET, has changed.
    public mutating func interruptForConfiguration() -> Bool {
        interruptStatus.insert(.configuration)
        return interrupt(configVector, .configuration)
    }

    /// MSI-X if config space enables it or a host connected the vector (kernel VFIO's clients never write the enable bit),
    /// else INTx.
    private mutating func interrupt(_ vector: UInt16, _ cause: Virtio.InterruptStatus) -> Bool {
        guard mayAccessMemory else { return false }
        if isMSIXEnabled || vector != Virtio.noVector && environment.interrupts.isConnected(.msix, vector: Int(vector)) {
            guard vector != Virtio.noVector else { return false }
            environment.interrupts.trigger(.msix, vector: Int(vector))
            return true
        }
        // A level: high until the driver reads the status.
        interruptStatus.insert(cause)
        let isNew = !environment.isINTxHigh
        environment.setINTx(true)
        return isNew
    }

    /// Message control's upper bit (PCI Local Bus 3.0 §6.8.2).
    private var isMSIXEnabled: Bool { environment.config.count >= 256 && environment.config[VirtioPlace.msixCapability + 3] & 0x80 != 0 }

    /// A read clears it and takes the line back.
    mutating func takeInterruptStatus() -> Virtio.InterruptStatus {
        let status = interruptStatus
        interruptStatus = []
        environment.setINTx(false)
        return status
    }

    // MARK: MSI-X table

    /// Four words a vector, masked (PCI Local Bus 3.0 §6.8.2). Kept for its readers: a host delivers by eventfd.
    static func freshMSIXTable(_ offer: VirtioOffer) -> [UInt32] {
        (0..<offer.vectorCount * 4).map { $0 % 4 == 3 ? 1 : 0 }
    }

    func readMSIX(_ offset: Int, _ byteCount: Int) -> UInt64 {
        guard offset >= 0, byteCount >= 4, offset & 3 == 0 else { return 0 }
        func word(_ index: Int) -> UInt64 { msixTable.indices.contains(index) ? UInt64(msixTable[index]) : 0 }
        return byteCount == 4 ? word(offset / 4) : word(offset / 4) | word(offset / 4 + 1) << 32
    }

    mutating func writeMSIX(_ offset: Int, _ value: UInt64, _ byteCount: Int) {
        guard offset >= 0, byteCount >= 4, offset & 3 == 0 else { return }
        for half in 0..<byteCount / 4 where msixTable.indices.contains(offset / 4 + half) {
            msixTable[offset / 4 + half] = UInt32(truncatingIfNeeded: value >> UInt64(32 * half))
        }
    }
}
