import DeviceAccess
import Testing

@testable import HostSetup

@Suite struct PCIFunctionTests {
    @Test func aNICIsReadWithItsInterfaceGroupAndNeighbours() throws {
        let machine = try FakeMachine()
        try machine.write("proc/net/route", "Iface\tDestination\n")
        try machine.add("0000:01:00.0", group: "7", interface: ("eth0", "0x1003", "up"))
        try machine.add("0000:01:00.1", id: (0x8086, 0x2922), class: "0x010601", driver: "ahci", group: "7")
        try machine.add("0000:01:00.2", id: (0x8086, 0x2918), class: "0x060400", driver: "pcieport", group: "7")
        let functions = machine.facts.functions
        #expect(functions.map { "\($0.address)" } == ["0000:01:00.0", "0000:01:00.1", "0000:01:00.2"])
        let nic = try #require(functions.first)
        #expect(nic.isNetworkController && !functions[1].isNetworkController)
        #expect(nic.identity == "8086:10d3" && nic.family?.driver == "e1000e" && nic.url == "vfio:0000:01:00.0")
        #expect(nic.driver == "e1000e" && !nic.isBoundToVFIO && nic.numaNode == nil && nic.sriov == nil)
        #expect(nic.interfaces == [.init(name: "eth0", isUp: true, operationalState: "up", carriesDefaultRoute: false)])
        #expect(nic.group?.number == "7")
        #expect(
            nic.group?.others == [
                .init(address: "0000:01:00.1", driver: "ahci", holdsGroup: true),
                .init(address: "0000:01:00.2", driver: "pcieport", holdsGroup: false),
            ])
        #expect(!nic.groupIsViable)
    }

    @Test func aBoundNICShowsItsFilesAndWhoHasThemOpen() throws {
        let machine = try FakeMachine()
        try machine.add("0000:01:00.0", driver: "vfio-pci", group: "7")
        try machine.makeDirectory("sys/bus/pci/devices/0000:01:00.0/vfio-dev/vfio3")
        try machine.write("dev/vfio/devices/vfio3", "")
        try machine.write("proc/41/comm", "unic\n")
        try machine.makeDirectory("proc/41/fd")
        try machine.link("proc/41/fd/5", to: "\(machine.root)/dev/vfio/7")
        let nic = try #require(machine.facts.networkControllers.first)
        #expect(nic.isBoundToVFIO)
        #expect(nic.groupNode?.holders == ["unic (pid 41)"])
        #expect(nic.deviceNode?.path == "\(machine.root)/dev/vfio/devices/vfio3" && nic.deviceNode?.holders == [])
    }

    @Test func aNoIOMMUGroupHasAnotherFileAndAnotherURL() throws {
        let machine = try FakeMachine()
        try machine.add("0000:01:00.0", driver: "vfio-pci", group: "0")
        try machine.write("sys/kernel/iommu_groups/0/name", "vfio-noiommu\n")
        try machine.write("dev/vfio/noiommu-0", "")
        let nic = try #require(machine.facts.networkControllers.first)
        #expect(nic.groupNode?.path.hasSuffix("/dev/vfio/noiommu-0") == true)
        #expect(nic.url == "vfio:0000:01:00.0?iommu=noiommu")
    }

    @Test func aVirtioFunctionsInterfaceIsItsVirtioDevices() throws {
        let machine = try FakeMachine()
        try machine.add("0000:00:03.0", id: (0x1af4, 0x1041), driver: "virtio-pci")
        let device = "sys/bus/pci/devices/0000:00:03.0"
        try machine.makeDirectory("\(device)/virtio2")
        #expect(machine.facts.networkControllers.first?.interfaceMayBeElsewhere == false, "no driver made an interface")
        try machine.link("\(device)/virtio2/driver", to: "../../../../virtio/drivers/virtio_net")
        #expect(machine.facts.networkControllers.first?.interfaceMayBeElsewhere == true)
        try machine.write("\(device)/virtio2/net/eth0/flags", "0x1002\n")
        let nic = try #require(machine.facts.networkControllers.first)
        #expect(nic.interfaces.map(\.name) == ["eth0"] && nic.interfaces.first?.isUp == false && !nic.interfaceMayBeElsewhere)
    }

    @Test func bothSidesOfSRIOVAreTold() throws {
        let machine = try FakeMachine()
        try machine.add("0000:01:00.0", id: (0x8086, 0x10c9), driver: "igb")
        try machine.write("sys/bus/pci/devices/0000:01:00.0/sriov_totalvfs", "7\n")
        try machine.write("sys/bus/pci/devices/0000:01:00.0/sriov_numvfs", "1\n")
        try machine.add("0000:01:10.0", id: (0x8086, 0x10ca), driver: nil)
        try machine.link("sys/bus/pci/devices/0000:01:10.0/physfn", to: "../0000:01:00.0")
        try machine.write("sys/bus/pci/devices/0000:01:10.0/numa_node", "1\n")
        let nics = machine.facts.networkControllers
        #expect(nics.map(\.sriov?.virtualFunctionCount) == [1, 0] && nics[0].sriov?.maximumVirtualFunctionCount == 7)
        #expect(nics[1].sriov?.physicalFunction == "0000:01:00.0" && nics[1].family?.driver == "igbvf" && nics[1].numaNode == 1)
        #expect(nics[0].url == nil, "a physical function of this family is not driven")
    }

    @Test func aDriverWhoseInterfaceIsNotSeenMayHaveItElsewhere() throws {
        let machine = try FakeMachine()
        try machine.add("0000:01:00.0")
        try machine.add("0000:02:00.0", driver: "vfio-pci")
        try machine.add("0000:03:00.0", driver: nil)
        #expect(machine.facts.networkControllers.map(\.interfaceMayBeElsewhere) == [true, false, false])
    }

    @Test func whatIsNoFunctionIsLeftOutAndTextIsMadeHarmless() throws {
        let machine = try FakeMachine()
        try machine.makeDirectory("sys/bus/pci/devices/nonsense")
        try machine.add("0000:01:00.0", interface: ("eth0", "0x1", "\u{1b}[2Jup"))
        try machine.add("0000:02:00.0")
        try machine.write("sys/bus/pci/devices/0000:02:00.0/vendor", "0x1ffff\n")
        try machine.add("0000:03:00.0")
        try machine.write("sys/bus/pci/devices/0000:03:00.0/class", "network\n")
        let functions = machine.facts.functions
        #expect(functions.map { "\($0.address)" } == ["0000:01:00.0"])
        #expect(functions.first?.interfaces.first?.operationalState == "?[2Jup")
    }

    @Test(
        arguments: [
            ("0000:01:00.0", "0000:01:00.0"), ("01:00.0", "0000:01:00.0"), ("vfio:0000:01:00.0", "0000:01:00.0"),
            ("vfio:01:00.0?iommu=type1", "0000:01:00.0"), ("vfio:", nil), ("eth0", nil), ("soft:0000:01:00.0", nil), ("", nil),
        ] as [(String, String?)])
    func usersWriteAddressesOrURLs(text: String, address: String?) {
        #expect(PCIAddress(userText: text).map { "\($0)" } == address)
    }
}
