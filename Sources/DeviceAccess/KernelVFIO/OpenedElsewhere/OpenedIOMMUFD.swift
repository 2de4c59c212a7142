public import LinuxIO

/// A context of /dev/iommu that another process opened and sent here. The kernel lets whoever has it unmap, whose memory it may be
/// (drivers/iommu/iommufd/ioas.c, `iommufd_ioas_unmap`).
public final class OpenedIOMMUFD {
    private let file: OwnedDescriptor

    public init(adopting file: consuming OwnedDescriptor) { self.file = file }

    /// IOMMU_IOAS_UNMAP of everything. ENOENT: the context has no such address space, or nothing is mapped in it (later kernels).
    /// - Returns: how many bytes were mapped.
    public func unmapAll(space id: UInt32) throws(SystemCallError) -> UInt64 {
        try IOAS.unmap(in: file, ioas: id, from: 0, byteCount: .max, "everything in IOAS \(id)")
    }
}
