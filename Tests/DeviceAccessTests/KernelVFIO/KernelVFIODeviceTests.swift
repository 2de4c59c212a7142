import LinuxIO
import Testing

@testable import DeviceAccess

/// How far opening comes in a made-up tree. Each refusal says what is wrong and how to mend it.
@Suite("Opening a kernel VFIO device") struct KernelVFIODeviceTests {
    private let address = PCIAddress(bus: 1, device: 0, function: 0)!

    /// The text of the refusal.
    private func refusal(_ tree: FakeTree) throws -> String {
        let paths = tree.paths
        let error = #expect(throws: DeviceError.self) { try KernelVFIODevice(url: "vfio:0000:01:00.0", address: address, paths: paths) }
        return try #require(error).description
    }

    private func expect(_ text: String, has parts: [String], _ location: SourceLocation = #_sourceLocation) {
        #expect(text.hasPrefix("vfio:0000:01:00.0"), sourceLocation: location)
        for part in parts { #expect(text.contains(part), "\(part) is not in: \(text)", sourceLocation: location) }
    }

    @Test("a function that this machine does not have is refused, through the public way in")
    func publicRefusal() throws {
        // Bus ff, device 1f, function 7 of a domain that no machine numbers.
        let nowhere = try #require(PCIAddress("fffffff0:ff:1f.7"))
        let error = #expect(throws: DeviceError.self) { try KernelVFIODevice(url: "vfio:\(nowhere)", address: nowhere) }
        guard case .notFound(let device, let reason, let fix)? = error else { return #expect(Bool(false), "\(String(describing: error))") }
        #expect(device == "vfio:fffffff0:ff:1f.7")
        #expect(reason.contains("/sys/bus/pci/devices/fffffff0:ff:1f.7"))
        #expect(fix.contains("lspci"))
    }

    @Test("a missing function: not found, and how to list them")
    func missing() throws {
        expect(try refusal(FakeTree()), has: ["no PCI function 0000:01:00.0", "lspci -Dnn"])
    }

    @Test("no IOMMU at all: how to turn one on, bound or not", arguments: [nil, "e1000e", "vfio-pci"])
    func noIOMMU(driver: String?) throws {
        let tree = try FakeTree()
        try tree.add("0000:01:00.0", driver: driver)
        expect(try refusal(tree), has: ["no IOMMU group", "intel_iommu=on", "VT-d", "vIOMMU"])
    }

    @Test("an IOMMU whose groups come with the driver: bind first")
    func lateGroup() throws {
        let tree = try FakeTree()
        try tree.makeDirectory("sys/class/iommu/virtio0")
        try tree.add("0000:01:00.0", driver: "e1000e")
        expect(try refusal(tree), has: ["no IOMMU group", "bound to e1000e", "driver_override"])
    }

    @Test("an IOMMU that leaves the device out although vfio-pci has it: the tables are to blame")
    func leftOut() throws {
        let tree = try FakeTree()
        try tree.makeDirectory("sys/class/iommu/dmar0")
        try tree.add("0000:01:00.0", driver: "vfio-pci")
        expect(try refusal(tree), has: ["though an IOMMU is there", "DMAR"])
    }

    @Test("bound to the kernel's driver: its name, the group and the commands that mend it")
    func notBound() throws {
        let tree = try FakeTree()
        try tree.add("0000:01:00.0", driver: "e1000e", group: "7")
        expect(
            try refusal(tree),
            has: [
                "IOMMU group 7", "driver e1000e", "modprobe vfio-pci", "echo vfio-pci > /sys/bus/pci/devices/0000:01:00.0/driver_override",
                "echo 0000:01:00.0 > /sys/bus/pci/devices/0000:01:00.0/driver/unbind", "echo 0000:01:00.0 > /sys/bus/pci/drivers_probe",
            ])
    }

    @Test("bound to nothing: the commands without an unbind")
    func unbound() throws {
        let tree = try FakeTree()
        try tree.add("0000:01:00.0", group: "7")
        let text = try refusal(tree)
        expect(text, has: ["bound to no driver", "drivers_probe"])
        #expect(!text.contains("unbind"))
    }

    @Test("a no-IOMMU group is refused by name")
    func noIOMMUMode() throws {
        let tree = try FakeTree()
        try tree.add("0000:01:00.0", driver: "vfio-pci", group: "0")
        try tree.write("sys/kernel/iommu_groups/0/name", "vfio-noiommu\n")
        expect(try refusal(tree), has: ["no-IOMMU mode", "intel_iommu=on"])
    }

    @Test("no /dev/vfio/vfio: which modules to load")
    func noContainer() throws {
        let tree = try FakeTree()
        try tree.add("0000:01:00.0", driver: "vfio-pci", group: "7")
        expect(try refusal(tree), has: ["IOMMU group 7", "open of", "dev/vfio/vfio", "errno 2", "modprobe vfio-pci"])
    }

    @Test("a /dev/vfio/vfio that is a file: the call and its errno")
    func fakeContainer() throws {
        let tree = try FakeTree()
        try tree.add("0000:01:00.0", driver: "vfio-pci", group: "7")
        try tree.write("dev/vfio/vfio", "")
        expect(try refusal(tree), has: ["IOMMU group 7", "VFIO_GET_API_VERSION", "errno 25", "not the kernel's VFIO"])
    }
}
