/// Who plays the IOMMU that the guest sees.
public enum GuestIOMMU: String, Sendable, CaseIterable {
    /// The relay: a virtio-iommu function, for guests that have no IOMMU.
    case relay
    /// QEMU's VT-d. It sends each map of the guest on the functions' connections.
    case intel = "intel-iommu"
    /// QEMU's virtio-iommu, the same way.
    case virtio = "virtio-iommu"

    /// QEMU's machine. Interrupts are remapped only if the kernel's part of the interrupt controllers lets QEMU see them.
    var machine: String { self == .intel ? "q35,kernel-irqchip=split,memory-backend=unic-memory" : "q35,memory-backend=unic-memory" }

    /// QEMU's IOMMU; nil: the relay's is served. Without caching mode a guest's driver does not tell what it maps anew
    /// (Intel VT-d, Capability Register, CM).
    var device: String? {
        switch self {
        case .relay: nil
        case .intel: "intel-iommu,intremap=on,caching-mode=on"
        case .virtio: "virtio-iommu-pci,addr=0x\(String(GuestTopology.iommuPlace, radix: 16))"
        }
    }
}
