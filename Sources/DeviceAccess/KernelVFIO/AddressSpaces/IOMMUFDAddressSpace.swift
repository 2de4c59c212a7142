import CLinuxShims
import DeviceMemory
import Glibc
import LinuxIO

/// An I/O address space (IOAS) of a context of its own of /dev/iommu (include/uapi/linux/iommufd.h, Linux 6.12).
///
/// Functions are attached to the IOAS itself, and the kernel makes the page table that fits them: allocating one by hand
/// (IOMMU_HWPT_ALLOC) gives nesting and dirty tracking, which a driver of a NIC has no use for. A second function of the
/// group is bound to the same context, as the kernel demands, and gets the same page table.
final class IOMMUFDAddressSpace: IOMMUAddressSpace {
    private let file: OwnedDescriptor
    private let ioas: UInt32

    init(_ subject: VFIOSubject) throws(DeviceError) {
        let path = subject.paths.iommu
        let file: OwnedDescriptor
        do { file = try OwnedDescriptor.open(path, flags: O_RDWR) } catch { throw subject.cannotOpenIOMMU(error) }
        var request = unic_iommu_ioas_alloc()
        request.size = UInt32(MemoryLayout<unic_iommu_ioas_alloc>.size)
        do { try file.ioctl(UInt(unic_iommu_ioas_alloc_request), &request, call: "IOMMU_IOAS_ALLOC", on: path) } catch {
            throw subject.failed(error, fix: "\(path) is not the kernel's iommufd.")
        }
        self.file = file
        ioas = request.out_ioas_id
    }

    /// The IOAS goes with its last function; its context, and all that is pinned, with the file.
    deinit {
        var request = unic_iommu_destroy(size: UInt32(MemoryLayout<unic_iommu_destroy>.size), id: ioas)
        _ = try? file.ioctl(UInt(unic_iommu_destroy_request), &request, call: "IOMMU_DESTROY", on: "IOAS \(ioas)")
    }

    func openDevice(_ subject: VFIOSubject) throws(DeviceError) -> OwnedDescriptor {
        let path = try subject.deviceNode()
        let device: OwnedDescriptor
        do { device = try OwnedDescriptor.open(path, flags: O_RDWR) } catch { throw subject.cannotOpenDeviceNode(error, path: path) }
        var bind = unic_vfio_bind_iommufd()
        bind.argsz = UInt32(MemoryLayout<unic_vfio_bind_iommufd>.size)
        bind.iommufd = file.number
        do { try device.ioctl(UInt(unic_vfio_device_bind_iommufd), &bind, call: "VFIO_DEVICE_BIND_IOMMUFD", on: path) } catch {
            throw subject.cannotBind(error, path: path)
        }
        var attach = unic_vfio_attach_pt()
        attach.argsz = UInt32(MemoryLayout<unic_vfio_attach_pt>.size)
        attach.pt_id = ioas
        do { try device.ioctl(UInt(unic_vfio_device_attach_iommufd_pt), &attach, call: "VFIO_DEVICE_ATTACH_IOMMUFD_PT", on: path) } catch {
            throw subject.cannotAttach(error)
        }
        return device
    }

    func limits(_ subject: VFIOSubject) throws(DeviceError) -> DMALimits {
        do {
            let answer = try IOVARangesRequest.ask(file, ioas: ioas)
            return try answer.limits()
        } catch let error as SystemCallError {
            throw subject.failed(error, fix: "See `dmesg`.")
        } catch let error as MalformedInfo {
            throw .protocolViolation(device: subject.url, reason: "IOMMU_IOAS_IOVA_RANGES: \(error.reason)")
        } catch {
            throw .protocolViolation(device: subject.url, reason: "IOMMU_IOAS_IOVA_RANGES: \(error)")
        }
    }

    func map(_ range: IOVARange, address: UInt64, access: DMAAccess, limits: DMALimits, for subject: VFIOSubject) throws(DeviceError) {
        var request = IOMMUFDAddressSpace.mapRequest(range, ioas: ioas, address: address, access: access)
        do { try file.ioctl(UInt(unic_iommu_ioas_map_request), &request, call: "IOMMU_IOAS_MAP", on: "\(range)") } catch {
            throw subject.cannotMap(range, limits: limits, lockedMemoryLimit: LockedMemoryLimit.byteCount, error)
        }
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

    func unmap(_ range: IOVARange, for subject: VFIOSubject) throws(DeviceError) {
        var request = unic_iommu_ioas_unmap()
        request.size = UInt32(MemoryLayout<unic_iommu_ioas_unmap>.size)
        request.ioas_id = ioas
        request.iova = range.start.rawValue
        request.length = range.byteCount
        do { try file.ioctl(UInt(unic_iommu_ioas_unmap_request), &request, call: "IOMMU_IOAS_UNMAP", on: "\(range)") } catch {
            throw subject.cannotUnmap(range, error)
        }
        guard request.length == range.byteCount else {
            throw subject.unmappedOther(range, byteCount: request.length, call: "IOMMU_IOAS_UNMAP")
        }
    }

    func nodes(_ subject: VFIOSubject) -> [String] { [(try? subject.deviceNode()) ?? "no device file", subject.paths.iommu] }
}
