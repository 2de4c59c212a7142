public import LinuxIO

/// A type 1 container that another process opened and sent here. From Linux 6.0 on, whoever has it may unmap; before, only the
/// process that had mapped, and all others unmapped nothing without an error (drivers/vfio/vfio_iommu_type1.c, `vfio_dma_do_unmap`).
public final class OpenedContainer {
    public let name: String
    private let file: OwnedDescriptor

    public init(adopting file: consuming OwnedDescriptor, name: String) {
        self.file = file
        self.name = name
    }

    /// VFIO_IOMMU_UNMAP_DMA with VFIO_DMA_UNMAP_FLAG_ALL.
    /// - Returns: how many bytes were mapped.
    public func unmapAll() throws(SystemCallError) -> UInt64 { try VFIOContainer.unmap(.everything, in: file) }
}
