import LinuxIO
import SystemPackage

/// The device that errors speak of. Its extensions turn what a call returned into what to do next, with no system call
/// that changes anything.
struct VFIOSubject: Equatable, Sendable {
    let url: String
    let address: PCIAddress
    /// nil until it is known.
    var group: String?
    let paths: KernelPaths

    var sysfs: SysfsDevice { SysfsDevice(address: address, paths: paths) }

    /// The error of a call, with its fix.
    func failed(_ cause: SystemCallError, fix: String) -> DeviceError {
        .systemCall(device: url, group: group, cause: cause, fix: fix)
    }

    func notUsable(_ reason: String, fix: String) -> DeviceError {
        .notUsable(device: url, group: group, reason: reason, fix: fix)
    }

    /// The shell commands that give a function to vfio-pci (Documentation/ABI/testing/sysfs-bus-pci: driver_override, drivers_probe).
    static func bindCommands(_ address: String, boundTo driver: String?) -> String {
        let device = "/sys/bus/pci/devices/\(address)"
        let unbind = driver == nil ? "" : "echo \(address) > \(device)/driver/unbind; "
        return
            "As root: modprobe vfio-pci; echo vfio-pci > \(device)/driver_override; \(unbind)echo \(address) > /sys/bus/pci/drivers_probe"
    }
}
