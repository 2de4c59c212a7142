public import DeviceMemory

/// Addresses that an endpoint's driver cannot map. struct virtio_iommu_probe_resv_mem, virtio 1.3 §5.13.6.6.1.
public struct ReservedWindow: Equatable, Sendable {
    public enum Kind: UInt8, Sendable {
        case reserved = 0
        /// The doorbell of message-signaled interrupts.
        case msi = 1
    }
    public let kind: Kind
    public let range: IOVARange

    public init(_ kind: Kind, _ range: IOVARange) {
        self.kind = kind
        self.range = range
    }

    /// Where a PC's message-signaled interrupts are written to; nil on other machines. No IOMMU translates these addresses
    /// (IOAPIC_RANGE_START and _END of Linux drivers/iommu/intel/iommu.c and of QEMU hw/virtio/virtio-iommu.c).
    public static var interrupts: ReservedWindow? {
        #if arch(x86_64)
            IOVARange(first: 0xfee0_0000, last: 0xfeef_ffff).map { ReservedWindow(.msi, $0) }
        #else
            nil
        #endif
    }

    /// Of the whole property, its header of four bytes included.
    static var propertyByteCount: Int { 24 }

    /// As the driver reads it: VIRTIO_IOMMU_PROBE_T_RESV_MEM, the bytes that follow, the kind, the first and the last address.
    var property: [UInt8] {
        [1, 0, UInt8(ReservedWindow.propertyByteCount - 4), 0, kind.rawValue, 0, 0, 0]
            + littleEndian(range.start.rawValue) + littleEndian(range.last)
    }

    private func littleEndian(_ value: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
}
