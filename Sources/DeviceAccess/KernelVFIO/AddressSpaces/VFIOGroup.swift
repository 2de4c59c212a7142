import CLinuxShims
import Glibc
import LinuxIO

/// An open VFIO group, `/dev/vfio/N`: the devices that the IOMMU cannot tell apart, taken as one (linux/vfio.h).
struct VFIOGroup: ~Copyable, Sendable {
    let file: OwnedDescriptor
    let path: String

    /// Opens a group's file and asks whether all of its devices can be given away.
    init(_ path: String, _ subject: VFIOSubject) throws(DeviceError) {
        let file: OwnedDescriptor
        do { file = try OwnedDescriptor.open(path, flags: O_RDWR) } catch { throw subject.cannotOpenGroup(error, path: path) }
        var status = vfio_group_status()
        status.argsz = UInt32(MemoryLayout<vfio_group_status>.size)
        do { try file.ioctl(UInt(unic_vfio_group_get_status), &status, call: "VFIO_GROUP_GET_STATUS", on: path) } catch {
            throw subject.failed(error, fix: "\(path) is not a VFIO group, or its last device just left it.")
        }
        guard status.flags & UInt32(VFIO_GROUP_FLAGS_VIABLE) != 0 else { throw subject.notViable() }
        self.file = file
        self.path = path
    }

    /// Puts the group into a container's address space.
    borrowing func enter(_ container: borrowing VFIOContainer, _ subject: VFIOSubject) throws(DeviceError) {
        var number = container.file.number
        do {
            try file.ioctl(UInt(unic_vfio_group_set_container), &number, call: "VFIO_GROUP_SET_CONTAINER", on: "\(subject.address)")
        } catch { throw subject.cannotSetContainer(error) }
    }

    /// A descriptor of the subject's device. The container has its IOMMU already.
    borrowing func openDevice(_ subject: VFIOSubject) throws(DeviceError) -> OwnedDescriptor {
        var name = Array("\(subject.address)".utf8) + [0]
        do {
            let number = try file.ioctl(
                UInt(unic_vfio_group_get_device_fd), bytes: &name, call: "VFIO_GROUP_GET_DEVICE_FD", on: "\(subject.address)")
            return OwnedDescriptor(adopting: number)
        } catch { throw subject.cannotGetDevice(error) }
    }
}
