import DeviceAccess
import DeviceMemory
import Foundation
import LinuxIO
import Testing

@testable import HostSetup

@Suite struct DiagnosisTests {
    /// A machine with everything, its NIC bound.
    private func machine() throws -> FakeMachine {
        let machine = try FakeMachine()
        try machine.loadVFIO()
        try machine.addIOMMU()
        try machine.add("0000:01:00.0", driver: "vfio-pci", group: "7")
        return machine
    }

    private func rootFacts(_ machine: FakeMachine) -> HostFacts {
        var facts = machine.facts
        facts.caller = CallerFacts(
            user: UserAccount(name: "root", identifier: 0), shell: 1, lockedMemoryLimit: 8 << 20, mayLockAnything: true, mayUseNoIOMMU: true
        )
        return facts
    }

    private func finding(_ facts: HostFacts, _ check: Finding.Check) throws -> Finding {
        try #require(Diagnosis(facts).findings.first { $0.check == check })
    }

    private func problems(_ facts: HostFacts) -> [Finding.Check] { Diagnosis(facts).findings.filter { $0.state == .problem }.map(\.check) }

    @Test func aMachineWithEverythingIsReady() throws {
        let facts = rootFacts(try machine())
        #expect(problems(facts).isEmpty)
        let diagnosis = Diagnosis(facts)
        #expect(diagnosis.works && diagnosis.outlooks.first?.working == [.type1])
        #expect(diagnosis.verdict == "Ready: vfio:0000:01:00.0 (type1).")
    }

    @Test func withIommufdThatComesFirst() throws {
        let machine = try machine()
        try machine.write("dev/iommu", "")
        try machine.makeDirectory("sys/bus/pci/devices/0000:01:00.0/vfio-dev/vfio0")
        #expect(try finding(rootFacts(machine), .iommufd).state == .note, "no file of the device's own")
        try machine.write("dev/vfio/devices/vfio0", "")
        #expect(try finding(rootFacts(machine), .iommufd).state == .ok)
        #expect(Diagnosis(rootFacts(machine)).outlooks.first?.working == [.iommufd, .type1])
    }

    @Test func withoutRemappingVFIOMustBeToldToTrust() throws {
        let machine = try machine()
        try machine.addIOMMU(remapping: false)
        let facts = rootFacts(machine)
        #expect(problems(facts) == [.interruptRemapping])
        #expect(!Diagnosis(facts).works)
        let fix = try #require(finding(facts, .interruptRemapping).fix)
        #expect(fix == "echo 1 > /sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts")
        try Shell.run(fix.replacingOccurrences(of: "/sys/", with: "\(machine.root)/sys/"))
        #expect(try finding(rootFacts(machine), .interruptRemapping).state == .note)
        #expect(Diagnosis(rootFacts(machine)).works)
    }

    @Test func iommufdHasAnAllowanceOfItsOwn() throws {
        let machine = try machine()
        try machine.addIOMMU(remapping: false)
        try machine.loadVFIO(unsafeInterrupts: true)
        try machine.write("dev/iommu", "")
        try machine.write("sys/module/iommufd/parameters/allow_unsafe_interrupts", "N\n")
        let finding = try finding(rootFacts(machine), .interruptRemapping)
        #expect(finding.state == .note && finding.fix == "echo 1 > /sys/module/iommufd/parameters/allow_unsafe_interrupts")
    }

    @Test func aBareMachineWithANICHasOnlyModels() throws {
        let machine = try FakeMachine()
        try machine.write("proc/net/route", "Iface\neth0\t00000000\t0\t0003\t0\t0\t0\t00000000\n")
        try machine.add("0000:00:03.0", interface: ("eth0", "0x1003", "up"))
        let facts = rootFacts(machine)
        #expect(problems(facts) == [.iommu, .vfio, .nic])
        #expect(Diagnosis(facts).findings.allSatisfy { $0.state != .problem || $0.fix == nil }, "nothing here can be fixed by a command")
        #expect(Diagnosis(facts).verdict.contains("soft: and vfio-user:"))
        #expect(try finding(facts, .nic).text.contains("default route"))
    }

    @Test func noNICAtAllIsAProblemToo() throws {
        let machine = try FakeMachine()
        #expect(try finding(rootFacts(machine), .nic).state == .problem)
        #expect(Diagnosis(rootFacts(machine), device: pci("0000:09:00.0")).findings.last?.text.contains("0000:09:00.0") == true)
    }

    @Test func withoutAnIOMMUTheModeForThatIsTheWayOut() throws {
        let machine = try FakeMachine()
        try machine.loadVFIO()
        try machine.write("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "N\n")
        try machine.add("0000:01:00.0", interface: ("eth0", "0x1002", "down"))
        let fix = try #require(finding(rootFacts(machine), .iommu).fix)
        #expect(try finding(rootFacts(machine), .nic).fix == nil, "vfio-pci would refuse it")
        try Shell.run(fix.replacingOccurrences(of: "/sys/", with: "\(machine.root)/sys/"))
        #expect(try finding(rootFacts(machine), .iommu).state == .note)
        #expect(try finding(rootFacts(machine), .nic).fix == "unic bind 0000:01:00.0")
        // What that leads to.
        try machine.add("0000:02:00.0", driver: "vfio-pci", group: "0")
        try machine.write("sys/kernel/iommu_groups/0/name", "vfio-noiommu\n")
        try machine.write("dev/vfio/noiommu-0", "")
        var facts = rootFacts(machine)
        #expect(Diagnosis(facts).verdict.contains("vfio:0000:02:00.0?iommu=noiommu (noiommu, in which the device reaches all of memory)"))
        facts.caller.mayUseNoIOMMU = false
        #expect(!Diagnosis(facts).works)
    }

    @Test(arguments: [("DMAR", "intel_iommu=on"), ("IVRS", "amd_iommu=on")])
    func anIOMMUThatIsTurnedOffIsTurnedOnInTheBootLoader(table: String, word: String) throws {
        let machine = try FakeMachine()
        try machine.loadVFIO()
        try machine.add("0000:01:00.0", interface: ("eth0", "0x1002", "down"))
        try machine.write("sys/firmware/acpi/tables/\(table)", "")
        try machine.write("proc/cmdline", "quiet intel_iommu=off iommu=off\n")
        let without = try finding(rootFacts(machine), .iommu)
        #expect(
            without.fix == nil && without.advice?.contains(word) == true && without.advice?.contains("intel_iommu=off iommu=off") == true)
        try machine.write("etc/default/grub", "GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX=\"quiet intel_iommu=off iommu=off\"\n")
        let fix = try #require(finding(rootFacts(machine), .iommu).fix)
        // The two commands that this machine cannot run are looked at, not run.
        #expect(fix.hasSuffix(" && update-grub && reboot"))
        try Shell.run(
            fix.replacingOccurrences(of: "/etc/", with: "\(machine.root)/etc/").replacingOccurrences(
                of: " && update-grub && reboot", with: ""))
        let lines = try #require(machine.read("etc/default/grub")).split(separator: "\n")
        #expect(lines.first == "GRUB_TIMEOUT=5" && lines.last?.contains(word) == true && lines.last?.contains("off") == false)
    }

    @Test func aVirtualIOMMUWithoutItsDriverWantsTheDriver() throws {
        let machine = try FakeMachine()
        try machine.write("sys/firmware/acpi/tables/VIOT", "")
        #expect(try finding(rootFacts(machine), .iommu).advice?.contains("CONFIG_VIRTIO_IOMMU") == true)
        try machine.write("lib/modules/6.12.0-test/modules.dep", "kernel/drivers/iommu/virtio-iommu.ko.xz:\n")
        #expect(try finding(rootFacts(machine), .iommu).fix == "modprobe virtio_iommu")
    }

    @Test func modulesThatAreThereAreLoaded() throws {
        let machine = try FakeMachine()
        try machine.addIOMMU()
        try machine.write(
            "lib/modules/6.12.0-test/modules.dep",
            "kernel/vfio-pci.ko:\nkernel/vfio_iommu_type1.ko.zst:\nkernel/drivers/iommu/iommufd/iommufd.ko:\n")
        #expect(try finding(rootFacts(machine), .vfio).fix == "modprobe vfio-pci && modprobe vfio_iommu_type1")
        #expect(try finding(rootFacts(machine), .iommufd).fix == "modprobe iommufd")
    }

    @Test func aClosedFileIsGivenToTheCaller() throws {
        var facts = rootFacts(try machine())
        facts.caller.user = UserAccount(name: "alice", identifier: 1000)
        facts.functions[0].groupNode?.isOpenToCaller = false
        let finding = try finding(facts, .permissions)
        #expect(
            finding.state == .problem && finding.fix?.hasPrefix("chown alice ") == true && finding.fix?.hasSuffix("/dev/vfio/7") == true)
        facts.caller.user = UserAccount(name: "a; reboot", identifier: 1001)
        #expect(try self.finding(facts, .permissions).fix?.hasPrefix("chown 1001 ") == true)
    }

    @Test func lockedMemoryIsCountedForThoseWhoAreCounted() throws {
        var facts = rootFacts(try machine())
        #expect(try finding(facts, .memlock).state == .ok)
        facts.caller.mayLockAnything = false
        facts.caller.shell = 4711
        let finding = try finding(facts, .memlock)
        #expect(finding.state == .problem && finding.fix == "prlimit --pid 4711 --memlock=unlimited")
        #expect(!Diagnosis(facts).works)
        facts.caller.lockedMemoryLimit = nil
        #expect(Diagnosis(facts).works)
    }

    @Test func hugepagesAreToldByNodeAndNearTheNIC() throws {
        let machine = try machine()
        #expect(try finding(rootFacts(machine), .hugepages).text.contains("no hugepages"))
        try machine.writePool("sys/kernel/mm/hugepages", total: 0)
        #expect(try finding(rootFacts(machine), .hugepages).fix == "echo 64 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")
        try machine.writePool("sys/kernel/mm/hugepages", total: 16)
        try machine.write("sys/devices/system/node/online", "0-1\n")
        try machine.writePool("sys/devices/system/node/node0/hugepages", total: 16)
        try machine.writePool("sys/devices/system/node/node1/hugepages", total: 0)
        try machine.write("sys/bus/pci/devices/0000:01:00.0/numa_node", "1\n")
        let findings = Diagnosis(rootFacts(machine)).findings.filter { $0.check == .hugepages }
        #expect(findings.map(\.state) == [.ok, .note])
        #expect(findings.first?.text.contains("node 0: 16, node 1: 0") == true)
        #expect(findings.last?.fix == "echo 64 > /sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages")
    }

    @Test func aGroupWithASiblingOnAKernelDriverIsNotViable() throws {
        let machine = try machine()
        try machine.add("0000:01:00.1", group: "7", interface: ("eth1", "0x1003", "up"))
        let facts = rootFacts(machine)
        #expect(!Diagnosis(facts, device: pci("0000:01:00.0")).works)
        let spare = try finding(facts, .group)
        #expect(spare.state == .problem && spare.fix == "ip link set eth1 down && unic bind 0000:01:00.1")
        try machine.add("0000:01:00.2", id: (0x8086, 0x2922), class: "0x010601", driver: "ahci", group: "7")
        #expect(try finding(rootFacts(machine), .group).fix == nil, "it may be the disk")
    }

    @Test func aPhysicalFunctionWithoutVirtualOnesIsToldHow() throws {
        let machine = try machine()
        try machine.add("0000:02:00.0", id: (0x8086, 0x10c9), driver: "igb", interface: ("eth2", "0x1002", "down"))
        try machine.write("sys/bus/pci/devices/0000:02:00.0/sriov_totalvfs", "7\n")
        try machine.write("sys/bus/pci/devices/0000:02:00.0/sriov_numvfs", "0\n")
        #expect(
            try finding(rootFacts(machine), .sriov).fix == "ip link set eth2 up && echo 2 > /sys/bus/pci/devices/0000:02:00.0/sriov_numvfs")
        try machine.write("sys/bus/pci/devices/0000:02:00.0/sriov_numvfs", "7\n")
        #expect(try finding(rootFacts(machine), .sriov).state == .ok)
    }

    @Test func aLimitOfMappingsThatIsTooLowIsRaised() throws {
        let machine = try machine()
        try machine.write("sys/module/vfio_iommu_type1/parameters/dma_entry_limit", "8\n")
        #expect(try finding(rootFacts(machine), .dmaLimit).fix == "echo 65535 > /sys/module/vfio_iommu_type1/parameters/dma_entry_limit")
    }

    @Test func oneReadyNICMakesTheOthersNotes() throws {
        let machine = try machine()
        try machine.add("0000:02:00.0", group: "8", interface: ("eth0", "0x1003", "up"))
        let diagnosis = Diagnosis(rootFacts(machine))
        let other = try #require(diagnosis.findings.first { $0.check == .nic && $0.device == "0000:02:00.0" })
        #expect(other.state == .note && other.fix == "ip link set eth0 down && unic bind 0000:02:00.0")
        let narrowed = Diagnosis(rootFacts(machine), device: pci("0000:02:00.0"))
        #expect(!narrowed.works && narrowed.findings.contains { $0.check == .nic && $0.state == .problem })
        #expect(!narrowed.findings.contains { $0.device == "0000:01:00.0" })
    }

    @Test func everyFixIsOneLineAndEveryProblemSaysWhatToDo() throws {
        let machine = try FakeMachine()
        try machine.add("0000:01:00.0")
        for facts in [rootFacts(machine), rootFacts(try self.machine())] {
            for finding in Diagnosis(facts).findings {
                #expect(finding.fix?.contains("\n") != true && finding.text.hasSuffix("."))
                if finding.state == .problem { #expect(finding.fix != nil || finding.advice != nil, "\(finding)") }
            }
        }
    }
}

extension FakeMachine {
    fileprivate func writePool(_ folder: String, total: Int) throws {
        for file in ["nr_hugepages", "free_hugepages"] { try write("\(folder)/hugepages-2048kB/\(file)", "\(total)\n") }
        for file in ["resv_hugepages", "surplus_hugepages"] { try write("\(folder)/hugepages-2048kB/\(file)", "0\n") }
    }
}

/// Runs a printed command as a user would.
enum Shell {
    struct Failed: Error { let text: String }

    static func run(_ command: String) throws {
        let child = try ChildProcess("sh", arguments: ["-c", command])
        guard child.wait(timeoutMilliseconds: 10_000) == .exited(0) else { throw Failed(text: "\(command): \(child.errorText)") }
    }
}
