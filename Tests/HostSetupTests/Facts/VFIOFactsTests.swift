import Testing

@testable import HostSetup

@Suite struct VFIOFactsTests {
    @Test func partsAreThereOrLoadableOrMissing() throws {
        let machine = try FakeMachine()
        #expect(machine.facts.vfio.pciDriver == .missing)
        try machine.write(
            "lib/modules/6.12.0-test/modules.dep",
            "kernel/drivers/vfio/pci/vfio-pci.ko.xz: kernel/drivers/vfio/vfio.ko.xz\nkernel/drivers/vfio/vfio_iommu_type1.ko.xz:\n")
        #expect(machine.facts.vfio.pciDriver == .loadable && machine.facts.vfio.type1 == .loadable)
        #expect(machine.facts.vfio.iommufd == .missing)
        try machine.loadVFIO()
        let vfio = machine.facts.vfio
        #expect(vfio.pciDriver == .present && vfio.type1 == .present && vfio.container?.isOpenToCaller == true)
        #expect(vfio.type1AllowsUnsafeInterrupts == false && vfio.dmaEntryLimit == 65535 && vfio.iommu == nil)
    }

    @Test func theModeWithoutAnIOMMUIsOffOnOrNotThere() throws {
        let machine = try FakeMachine()
        #expect(machine.facts.vfio.noIOMMUModeIsOn == nil)
        for (text, expected) in [("N\n", false), ("Y\n", true)] {
            try machine.write("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", text)
            #expect(machine.facts.vfio.noIOMMUModeIsOn == expected)
        }
        try machine.write("proc/sys/kernel/tainted", "4160\n")
        #expect(machine.facts.vfio.kernelIsTaintedByUser)
        try machine.write("proc/sys/kernel/tainted", "4096\n")
        #expect(!machine.facts.vfio.kernelIsTaintedByUser)
    }

    @Test func aReleaseThatIsAPathIsNotFollowed() throws {
        let machine = try FakeMachine()
        try machine.write("proc/sys/kernel/osrelease", "../../elsewhere\n")
        try machine.write("elsewhere/modules.dep", "kernel/vfio-pci.ko:\n")
        #expect(machine.facts.vfio.pciDriver == .missing)
    }

    @Test func capabilitiesComeFromTheEffectiveSet() throws {
        let machine = try FakeMachine()
        try machine.write("proc/self/status", "Name:\tunic\nCapPrm:\tffffffffffffffff\nCapEff:\t0000000000004000\n")
        #expect(machine.facts.caller.mayLockAnything && !machine.facts.caller.mayUseNoIOMMU)
        try machine.write("proc/self/status", "CapEff:\t0000000000220000\n")
        #expect(!machine.facts.caller.mayLockAnything && machine.facts.caller.mayUseNoIOMMU)
        try machine.write("proc/self/status", "CapEff:\tnonsense\n")
        #expect(!machine.facts.caller.mayLockAnything)
    }
}
