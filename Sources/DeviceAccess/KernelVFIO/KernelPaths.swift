/// Where the kernel shows itself. Tests put a tree of their own there.
struct KernelPaths: Equatable, Sendable {
    var sys = "/sys"
    var dev = "/dev"
    var proc = "/proc"

    func device(_ address: PCIAddress) -> String { "\(sys)/bus/pci/devices/\(address)" }
    var container: String { "\(dev)/vfio/vfio" }
    func group(_ number: String) -> String { "\(dev)/vfio/\(number)" }
}
