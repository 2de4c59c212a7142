import CLinuxShims
import Glibc
public import LinuxIO

/// An open /dev/iommu (include/uapi/linux/iommufd.h, Linux 6.12): address spaces, and the devices that are bound to it. All
/// functions of a group have to be bound to the same one. What is pinned goes with it.
public final class IOMMUFDContext: Sendable {
    let file: OwnedDescriptor
    /// The device that errors speak of when they speak of no other.
    private let subject: VFIOSubject

    /// Opens a context of its own.
    /// - Parameters:
    ///   - url: of a device that will be bound to it: errors speak of that.
    public convenience init(url: String, address: PCIAddress) throws(DeviceError) {
        try self.init(VFIOSubject(url: url, address: address, group: nil, paths: KernelPaths()))
    }

    init(_ subject: VFIOSubject) throws(DeviceError) {
        do { file = try OwnedDescriptor.open(subject.paths.iommu, flags: O_RDWR) } catch { throw subject.cannotOpenIOMMU(error) }
        self.subject = subject
    }

    /// Makes an address space, empty.
    /// - Parameter gone: told its id once the kernel has it no more.
    public func makeAddressSpace(gone: (@Sendable (UInt32) -> Void)? = nil) throws(DeviceError) -> IOAS {
        try IOAS(self, subject, gone: gone)
    }

    /// A descriptor of the context for another process, which can unmap then (``OpenedIOMMUFD``).
    public func duplicateFile() throws(DeviceError) -> OwnedDescriptor {
        do { return try file.duplicate() } catch { throw subject.failed(error, fix: "Raise the limit of open files (ulimit -n).") }
    }

    /// Opens a function's own file and binds it to this context. Its DMA is blocked until it is attached to an address space.
    func bind(_ subject: VFIOSubject) throws(DeviceError) -> OwnedDescriptor {
        let path = try subject.deviceNode()
        let device: OwnedDescriptor
        do { device = try OwnedDescriptor.open(path, flags: O_RDWR) } catch { throw subject.cannotOpenDeviceNode(error, path: path) }
        var bind = unic_vfio_bind_iommufd()
        bind.argsz = UInt32(MemoryLayout<unic_vfio_bind_iommufd>.size)
        bind.iommufd = file.number
        do { try device.ioctl(UInt(unic_vfio_device_bind_iommufd), &bind, call: "VFIO_DEVICE_BIND_IOMMUFD", on: path) } catch {
            throw subject.cannotBind(error, path: path)
        }
        return device
    }
}
