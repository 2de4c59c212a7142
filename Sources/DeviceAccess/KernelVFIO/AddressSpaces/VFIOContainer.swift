import CLinuxShims
import DeviceMemory
import Glibc
import LinuxIO

/// A VFIO container: one IOMMU address space, made of the groups that were put into it (linux/vfio.h).
struct VFIOContainer: ~Copyable, Sendable {
    /// What gives it its address space.
    enum Kind: Sendable {
        /// An IOMMU; unmaps never split a mapping.
        case type1v2
        /// None: VFIO_NOIOMMU_IOMMU.
        case noIOMMU

        var extensionNumber: Int { Int(self == .type1v2 ? VFIO_TYPE1v2_IOMMU : VFIO_NOIOMMU_IOMMU) }
    }

    let file: OwnedDescriptor
    private let kind: Kind

    /// Opens /dev/vfio/vfio and asks whether it can do what is wanted.
    init(_ kind: Kind, _ subject: VFIOSubject) throws(DeviceError) {
        let path = subject.paths.container
        let file: OwnedDescriptor
        do { file = try OwnedDescriptor.open(path, flags: O_RDWR) } catch { throw subject.cannotOpenContainer(error) }
        let version: Int32
        let isThere: Int32
        do {
            version = try file.ioctl(UInt(unic_vfio_get_api_version), call: "VFIO_GET_API_VERSION", on: path)
            isThere = try file.ioctl(
                UInt(unic_vfio_check_extension), value: kind.extensionNumber, call: "VFIO_CHECK_EXTENSION", on: path)
        } catch { throw subject.failed(error, fix: "\(path) is not the kernel's VFIO.") }
        guard version == VFIO_API_VERSION else {
            throw subject.wrongContainer("speaks VFIO version \(version) and not \(VFIO_API_VERSION)")
        }
        guard isThere > 0 else {
            throw kind == .type1v2
                ? subject.wrongContainer("offers no IOMMU of type 1 version 2")
                : subject.notUsable("\(path) offers no mode without an IOMMU", fix: VFIOSubject.allowNoIOMMU)
        }
        self.file = file
        self.kind = kind
    }

    /// Gives the container its address space. A group must be in it.
    borrowing func setIOMMU(_ subject: VFIOSubject) throws(DeviceError) {
        let what = "\(kind == .type1v2 ? "type 1v2" : "no IOMMU") for \(subject.address)"
        do {
            try file.ioctl(UInt(unic_vfio_set_iommu), value: kind.extensionNumber, call: "VFIO_SET_IOMMU", on: what)
        } catch { throw subject.cannotSetIOMMU(error) }
    }

    /// What the address space can map now.
    borrowing func limits(_ subject: VFIOSubject) throws(DeviceError) -> DMALimits {
        let info: InfoBytes
        do {
            info = try InfoCall.ask(
                file, UInt(unic_vfio_iommu_get_info), fixed: .init(byteCount: 24, index: nil), call: "VFIO_IOMMU_GET_INFO",
                on: "\(subject.address)")
        } catch { throw subject.failed(error, fix: "See `dmesg`.") }
        do { return try IOMMUInfoReply.parse(info).limits } catch {
            throw .protocolViolation(device: subject.url, reason: "VFIO_IOMMU_GET_INFO: \(error.reason)")
        }
    }

    /// VFIO_IOMMU_MAP_DMA of this process's memory at `address`.
    borrowing func map(_ range: IOVARange, address: UInt64, access: DMAAccess) throws(SystemCallError) {
        var request = vfio_iommu_type1_dma_map()
        request.argsz = UInt32(MemoryLayout<vfio_iommu_type1_dma_map>.size)
        if access.contains(.read) { request.flags |= UInt32(VFIO_DMA_MAP_FLAG_READ) }
        if access.contains(.write) { request.flags |= UInt32(VFIO_DMA_MAP_FLAG_WRITE) }
        request.vaddr = address
        request.iova = range.start.rawValue
        request.size = range.byteCount
        try file.ioctl(UInt(unic_vfio_iommu_map_dma), &request, call: "VFIO_IOMMU_MAP_DMA", on: "\(range)")
    }

    enum Removal {
        case range(IOVARange)
        /// VFIO_DMA_UNMAP_FLAG_ALL, Linux 5.12.
        case everything

        /// struct vfio_iommu_type1_dma_unmap as bytes: argsz, flags, iova, size.
        var request: [UInt8] {
            var bytes: [UInt8] = []
            bytes.append(littleEndian: UInt32(24))
            switch self {
            case .range(let range):
                bytes.append(littleEndian: UInt32(0))
                bytes.append(littleEndian: range.start.rawValue)
                bytes.append(littleEndian: range.byteCount)
            case .everything:
                bytes.append(littleEndian: UInt32(VFIO_DMA_UNMAP_FLAG_ALL))
                bytes.append(littleEndian: UInt64(0))
                bytes.append(littleEndian: UInt64(0))
            }
            return bytes
        }
    }

    /// VFIO_IOMMU_UNMAP_DMA. When it returns, the IOMMU's caches know.
    /// - Returns: how many bytes were mapped there.
    borrowing func unmap(_ removal: Removal) throws(SystemCallError) -> UInt64 { try VFIOContainer.unmap(removal, in: file) }

    static func unmap(_ removal: Removal, in file: borrowing OwnedDescriptor) throws(SystemCallError) -> UInt64 {
        var request = removal.request
        try file.ioctl(UInt(unic_vfio_iommu_unmap_dma), bytes: &request, call: "VFIO_IOMMU_UNMAP_DMA", on: "\(removal)")
        // The kernel writes back how much it unmapped.
        return InfoBytes(request).u64(at: 16) ?? 0
    }
}
