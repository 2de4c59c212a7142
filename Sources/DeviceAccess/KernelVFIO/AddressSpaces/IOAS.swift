import CLinuxShims
public import DeviceMemory
import LinuxIO
import SystemPackage

/// An I/O address space of a context of /dev/iommu. It goes with its owner; devices have to have left it before.
///
/// Functions are attached to the IOAS itself, and the kernel makes the page table that fits them: allocating one by hand
/// (IOMMU_HWPT_ALLOC) gives nesting and dirty tracking, which nobody here has a use for.
public final class IOAS: HostAddressSpace {
    let context: IOMMUFDContext
    /// The kernel's name for it, in its context.
    public let id: UInt32
    /// Whom errors speak of.
    private let subject: VFIOSubject
    /// Told its id once it is gone.
    private let gone: (@Sendable (UInt32) -> Void)?

    init(
        _ context: IOMMUFDContext, _ subject: VFIOSubject, gone: (@Sendable (UInt32) -> Void)? = nil
    ) throws(DeviceError) {
        var request = unic_iommu_ioas_alloc()
        request.size = UInt32(MemoryLayout<unic_iommu_ioas_alloc>.size)
        let path = subject.paths.iommu
        do { try context.file.ioctl(UInt(unic_iommu_ioas_alloc_request), &request, call: "IOMMU_IOAS_ALLOC", on: path) } catch {
            throw subject.failed(error, fix: "\(path) is not the kernel's iommufd.")
        }
        self.context = context
        self.subject = subject
        self.gone = gone
        id = request.out_ioas_id
    }

    deinit {
        var request = unic_iommu_destroy(size: UInt32(MemoryLayout<unic_iommu_destroy>.size), id: id)
        guard (try? context.file.ioctl(UInt(unic_iommu_destroy_request), &request, call: "IOMMU_DESTROY", on: "IOAS \(id)")) != nil
        else { return }
        gone?(id)
    }

    /// What can be mapped now: less, the more devices are attached.
    public func limits() throws(DeviceError) -> DMALimits {
        do {
            let answer = try IOVARangesRequest.ask(context.file, ioas: id)
            return try answer.limits()
        } catch let error as SystemCallError {
            throw subject.failed(error, fix: "See `dmesg`.")
        } catch let error as MalformedInfo {
            throw .protocolViolation(device: subject.url, reason: "IOMMU_IOAS_IOVA_RANGES: \(error.reason)")
        } catch {
            throw .protocolViolation(device: subject.url, reason: "IOMMU_IOAS_IOVA_RANGES: \(error)")
        }
    }

    public func map(_ range: IOVARange, processAddress: UInt64, access: DMAAccess) throws(HostMapRefusal) {
        do { try ask(range, address: processAddress, access: access) } catch {
            // Asked again only to explain: a refusal is rare.
            let known = try? limits()
            let limits = known ?? DMALimits(windows: [range], pageSizes: 4096, maximumMappings: .max)
            throw HostMapRefusal(
                cause: error,
                explanation: subject.cannotMap(range, limits: limits, lockedMemoryLimit: LockedMemoryLimit.byteCount, error))
        }
    }

    func ask(_ range: IOVARange, address: UInt64, access: DMAAccess) throws(SystemCallError) {
        var request = IOAS.mapRequest(range, ioas: id, address: address, access: access)
        try context.file.ioctl(UInt(unic_iommu_ioas_map_request), &request, call: "IOMMU_IOAS_MAP", on: "\(range)")
    }

    static func mapRequest(_ range: IOVARange, ioas: UInt32, address: UInt64, access: DMAAccess) -> unic_iommu_ioas_map {
        var request = unic_iommu_ioas_map()
        request.size = UInt32(MemoryLayout<unic_iommu_ioas_map>.size)
        request.flags = UInt32(UNIC_IOMMU_MAP_FIXED_IOVA)
        if access.contains(.read) { request.flags |= UInt32(UNIC_IOMMU_MAP_READABLE) }
        if access.contains(.write) { request.flags |= UInt32(UNIC_IOMMU_MAP_WRITEABLE) }
        request.ioas_id = ioas
        request.user_va = address
        request.length = range.byteCount
        request.iova = range.start.rawValue
        return request
    }

    @discardableResult public func unmap(_ range: IOVARange) throws(DeviceError) -> UInt64 {
        do { return try unmap(from: range.start.rawValue, byteCount: range.byteCount, "\(range)") } catch {
            throw subject.cannotUnmap(range, error)
        }
    }

    /// "A special case": all addresses, whatever is mapped where.
    public func unmapAll() throws(DeviceError) {
        do { try unmap(from: 0, byteCount: .max, "everything") } catch {
            // Later kernels may say so of an empty space.
            if error.errno != .noSuchFileOrDirectory { throw subject.failed(error, fix: "See `dmesg`.") }
        }
    }

    @discardableResult private func unmap(from start: UInt64, byteCount: UInt64, _ what: String) throws(SystemCallError) -> UInt64 {
        try IOAS.unmap(in: context.file, ioas: id, from: start, byteCount: byteCount, what)
    }

    /// IOMMU_IOAS_UNMAP; 0 and UInt64.max mean everything.
    static func unmap(
        in context: borrowing OwnedDescriptor, ioas: UInt32, from start: UInt64, byteCount: UInt64, _ what: String
    ) throws(SystemCallError) -> UInt64 {
        var request = unic_iommu_ioas_unmap()
        request.size = UInt32(MemoryLayout<unic_iommu_ioas_unmap>.size)
        request.ioas_id = ioas
        request.iova = start
        request.length = byteCount
        try context.ioctl(UInt(unic_iommu_ioas_unmap_request), &request, call: "IOMMU_IOAS_UNMAP", on: what)
        return request.length
    }

    // MARK: Devices

    /// VFIO_DEVICE_ATTACH_IOMMUFD_PT: also of a device that is attached elsewhere, which this replaces.
    func attach(_ device: borrowing OwnedDescriptor, _ name: String) throws(SystemCallError) {
        var attach = unic_vfio_attach_pt()
        attach.argsz = UInt32(MemoryLayout<unic_vfio_attach_pt>.size)
        attach.pt_id = id
        try device.ioctl(UInt(unic_vfio_device_attach_iommufd_pt), &attach, call: "VFIO_DEVICE_ATTACH_IOMMUFD_PT", on: name)
    }

    /// VFIO_DEVICE_DETACH_IOMMUFD_PT: what remains is the kernel's blocking domain.
    static func detach(_ device: borrowing OwnedDescriptor, _ name: String) throws(SystemCallError) {
        var detach = unic_vfio_detach_pt()
        detach.argsz = UInt32(MemoryLayout<unic_vfio_detach_pt>.size)
        try device.ioctl(UInt(unic_vfio_device_detach_iommufd_pt), &detach, call: "VFIO_DEVICE_DETACH_IOMMUFD_PT", on: name)
    }
}
