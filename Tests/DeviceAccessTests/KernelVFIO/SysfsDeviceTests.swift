import Testing

@testable import DeviceAccess

@Suite("What sysfs tells") struct SysfsDeviceTests {
    private let address = PCIAddress(bus: 1, device: 0, function: 0)!

    @Test("driver, group and siblings come from the links")
    func links() throws {
        let tree = try FakeTree()
        try tree.add("0000:01:00.0", driver: "vfio-pci", group: "12")
        try tree.add("0000:01:00.1", driver: "e1000e", group: "12")
        try tree.add("0000:01:00.2", group: "12")
        try tree.add("0000:02:00.0", driver: "nvme", group: "13")
        let device = SysfsDevice(address: address, paths: tree.paths)
        #expect(device.exists)
        #expect(device.driver == "vfio-pci")
        #expect(device.group == "12")
        #expect(!device.hasNoIOMMUGroup)
        #expect(device.siblings == [.init(address: "0000:01:00.1", driver: "e1000e"), .init(address: "0000:01:00.2", driver: nil)])
    }

    @Test("a function without driver and group has neither, and one that is missing does not exist")
    func bare() throws {
        let tree = try FakeTree()
        try tree.add("0000:01:00.0")
        let device = SysfsDevice(address: address, paths: tree.paths)
        #expect(device.exists && device.driver == nil && device.group == nil && device.siblings.isEmpty)
        #expect(!SysfsDevice(address: PCIAddress(bus: 2, device: 0, function: 0)!, paths: tree.paths).exists)
    }

    @Test("drivers built on vfio-pci count as it")
    func variants() {
        for driver in ["vfio-pci", "mlx5_vfio_pci", "nvgrace-gpu-vfio-pci"] { #expect(SysfsDevice.isVFIO(driver: driver)) }
        for driver in ["e1000e", "vfio", "pci-stub", ""] { #expect(!SysfsDevice.isVFIO(driver: driver)) }
    }

    @Test("bridges, stubs and driverless functions leave a group viable; kernel drivers do not")
    func viability() {
        for driver in [nil, "vfio-pci", "pci-stub", "pcieport"] { #expect(SysfsDevice.leavesGroupViable(driver: driver)) }
        #expect(!SysfsDevice.leavesGroupViable(driver: "e1000e"))
    }

    @Test("VFIO's name comes from vfio-dev, and nothing else passes for one")
    func vfioName() throws {
        for (name, expected) in [
            ("vfio12", "vfio12"), ("noiommu-vfio0", nil), ("vfio", nil), ("vfio1x", nil), ("vfio..", nil), ("vfio-1", nil),
        ] as [(String, String?)] {
            let tree = try FakeTree()
            try tree.add("0000:01:00.0")
            try tree.makeDirectory("sys/bus/pci/devices/0000:01:00.0/vfio-dev/\(name)")
            let device = SysfsDevice(address: address, paths: tree.paths)
            #expect(device.vfioDeviceName == expected)
            #expect(!device.hasDeviceNode(name))
            try tree.write("sys/bus/pci/devices/0000:01:00.0/vfio-dev/\(name)/dev", "249:0\n")
            #expect(device.hasDeviceNode(name))
        }
    }
}
