import Testing

@testable import HostSetup

@Suite struct IOMMUFactsTests {
    @Test func kindsComeFromTheDriversNames() throws {
        let machine = try FakeMachine()
        for name in ["dmar0", "ivhd1", "smmu3.0x0000000009050000", "0000:00:06.0", "0000:00:07.0"] { try machine.addIOMMU(name) }
        try machine.makeDirectory("sys/class/iommu/0000:00:06.0/device")
        try machine.link("sys/class/iommu/0000:00:06.0/device/driver", to: "../../../../bus/virtio/drivers/virtio_iommu")
        let units = machine.facts.iommu.units
        #expect(units.map(\.name) == ["0000:00:06.0", "0000:00:07.0", "dmar0", "ivhd1", "smmu3.0x0000000009050000"])
        #expect(units.map(\.kind) == [.virtio, .other, .intel, .amd, .arm])
    }

    @Test(
        arguments: [
            (["IO-APIC", "PCI-MSIX-0000:00:01.0"], false), (["IR-IO-APIC", "DMAR-MSI"], true),
            (["GICv3", "ITS-PCI-MSIX-0000:00:01.0"], true),
            (["", "XT-PIC"], false), ([], nil),
        ] as [([String], Bool?)])
    func remappingIsSeenInTheNamesOfInterruptChips(chips: [String], expected: Bool?) throws {
        let machine = try FakeMachine()
        for (number, chip) in chips.enumerated() { try machine.write("sys/kernel/irq/\(number)/chip_name", "\(chip)\n") }
        #expect(machine.facts.iommu.interruptsAreRemapped == expected)
    }

    @Test func aKernelWithoutThoseFilesShowsItInItsTable() throws {
        let machine = try FakeMachine()
        try machine.write("proc/interrupts", "   CPU0\n 0:  246  IR-IO-APIC  2-edge  timer\nNMI: 0 Non-maskable interrupts\n")
        #expect(machine.facts.iommu.interruptsAreRemapped == true)
    }

    @Test func tablesAndCommandLineAreRead() throws {
        let machine = try FakeMachine()
        for table in ["APIC", "DMAR", "VIOT"] { try machine.write("sys/firmware/acpi/tables/\(table)", "") }
        try machine.write("proc/cmdline", "quiet intel_iommu=off\n")
        #expect(machine.facts.iommu.tables == ["DMAR", "VIOT"])
        #expect(machine.facts.iommu.commandLine == ["quiet", "intel_iommu=off"])
    }
}
