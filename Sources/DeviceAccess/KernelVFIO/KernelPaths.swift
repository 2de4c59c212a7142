/// Where the kernel shows itself. Tests put a tree of their own there.
struct KernelPaths: Equatable, Sendable {
    var sys = "/sys"
    var dev = "/dev"
    var proc = "/proc"

    func device(_ address: PCIAddress) -> String { "\(sys)/bus/pci/devices/\(address)" }
    var container: String { "\(dev)/vfio/vfio" }
    var unsafeInterrupts: String { "\(sys)/module/iommufd/parameters/allow_unsafe_interrupts" }
    var iommu: String { "\(dev)/iommu" }
    func deviceNode(_ name: String) -> String { "\(dev)/vfio/devices/\(name)" }
    func noIOMMUGroup(_ number: String) -> String { "\(dev)/vfio/noiommu-\(number)" }
    func group(_ number: String) -> String { "\(dev)/vfio/\(number)" }
}
