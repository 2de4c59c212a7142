import CLinuxShims

/// What VFIO_DEVICE_SET_IRQS takes (linux/vfio.h, struct vfio_irq_set): argsz, flags, index, start, count, then descriptors.
enum InterruptRequest {
    static let headerByteCount = 20

    /// Vector i signals `eventfds[i]`; -1 leaves a vector without a signal.
    static func signal(_ kind: InterruptKind, eventfds: [Int32]) -> [UInt8] {
        var bytes = header(
            VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, kind, count: eventfds.count, dataByteCount: 4 * eventfds.count)
        for eventfd in eventfds { bytes.append(littleEndian: eventfd) }
        return bytes
    }

    /// Switches a kind off as a whole.
    static func disable(_ kind: InterruptKind) -> [UInt8] {
        header(VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER, kind, count: 0, dataByteCount: 0)
    }

    /// Lets the INTx line through again after it fired.
    static func unmaskINTx() -> [UInt8] {
        header(VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK, .intx, count: 1, dataByteCount: 0)
    }

    /// Holds the INTx line back.
    static func maskINTx() -> [UInt8] {
        header(VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_MASK, .intx, count: 1, dataByteCount: 0)
    }

    /// An eventfd whose signal lets the INTx line through again; -1 takes it away.
    static func unmaskINTx(by eventfd: Int32) -> [UInt8] {
        var bytes = header(VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_UNMASK, .intx, count: 1, dataByteCount: 4)
        bytes.append(littleEndian: eventfd)
        return bytes
    }

    private static func header(_ flags: Int32, _ kind: InterruptKind, count: Int, dataByteCount: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: UInt32(truncatingIfNeeded: headerByteCount + dataByteCount))
        bytes.append(littleEndian: UInt32(bitPattern: flags))
        bytes.append(littleEndian: UInt32(truncatingIfNeeded: kind.rawValue))
        bytes.append(littleEndian: UInt32(0))
        bytes.append(littleEndian: UInt32(truncatingIfNeeded: count))
        return bytes
    }
}
