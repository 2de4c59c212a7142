/// Where the kernel shows itself. Tests put a tree of their own there.
package struct KernelPaths: Equatable, Sendable {
    package var sys = "/sys"
    package var dev = "/dev"
    package var proc = "/proc"

    package init(sys: String = "/sys", dev: String = "/dev", proc: String = "/proc") {
        self.sys = sys
        self.dev = dev
        self.proc = proc
    }

    package func device(_ address: PCIAddress) -> String { "\(sys)/bus/pci/devices/\(address)" }
    package var container: String { "\(dev)/vfio/vfio" }
    package func group(_ number: String) -> String { "\(dev)/vfio/\(number)" }
    func noIOMMUGroup(_ number: String) -> String { "\(dev)/vfio/noiommu-\(number)" }
    var unsafeInterrupts: String { "\(sys)/module/iommufd/parameters/allow_unsafe_interrupts" }
    var iommu: String { "\(dev)/iommu" }
    func deviceNode(_ name: String) -> String { "\(dev)/vfio/devices/\(name)" }
}
