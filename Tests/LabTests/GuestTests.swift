import Testing

@testable import LabKit

/// The lab itself: what a guest has, and that its end comes back whatever it is.
@Suite(.serialized)
struct GuestTests {
    /// A line for each NIC among the devices: address, device id, driver, group.
    private static let describe = """
        describe() {
            for device; do
                case $(<$device/class) in 0x02000*) ;; *) continue ;; esac
                echo "${device##*/} $(<$device/device) $(basename "$(readlink $device/driver)") $(basename "$(readlink $device/iommu_group)")"
            done
        }

        """

    @Test func aGuestHasItsPortsAndHugepagesAndBringsEverythingBack() throws {
        var guest = Guest()
        guest.hugepageCount = 8
        let run = try guest.run(
            """
            for device in 0000:00:03.0 0000:00:04.0; do
                echo "$device $(basename "$(readlink /sys/bus/pci/devices/$device/driver)")"
                test -c "/dev/vfio/$(basename "$(readlink /sys/bus/pci/devices/$device/iommu_group)")"
            done
            grep HugePages_Free /proc/meminfo
            test ! -e /dev/iommu  # no Debian kernel has it
            bind-vfio --kernel peer 10.0.0.2/24 --mtu 9000 0000:00:04.0 >/lab/results/interface
            ip -n peer -brief address show dev "$(cat /lab/results/interface)"
            ip netns exec peer ping -q -c 1 10.0.0.2 >/dev/null
            echo "$1|$2" >/lab/results/arguments
            echo to-stderr >&2
            exit 37
            """, arguments: ["two words", "it's"])
        #expect(run.ending == .exited(37), "\(run.errorOutput)")
        let lines = run.output.split(separator: "\n")
        #expect(lines.prefix(2) == ["0000:00:03.0 vfio-pci", "0000:00:04.0 vfio-pci"])
        #expect(lines.dropFirst(2).first?.split(separator: " ") == ["HugePages_Free:", "8"])
        #expect(lines.last?.contains("10.0.0.2/24") == true && lines.last?.contains("UP") == true)
        #expect(try run.file("arguments") == "two words|it's\n")
        #expect(run.errorOutput == "to-stderr\n")
    }

    @Test func withoutAnIOMMUThereIsNoGroup() throws {
        var guest = Guest()
        guest.iommu = .none
        guest.bindsPorts = false
        let run = try guest.run("ls /sys/kernel/iommu_groups; readlink /sys/bus/pci/devices/0000:00:03.0/iommu_group && exit 1; exit 0")
        #expect(run.ending == .exited(0), "\(run.errorOutput)")
        #expect(run.output.isEmpty)
    }

    @Test func aGuestThatPanicsIsToldWithItsConsole() throws {
        let run = try Guest().run("echo before; echo c >/proc/sysrq-trigger; sleep 60")
        #expect(run.ending == .died)
        #expect(run.output == "before\n")
        #expect(run.errorOutput.contains("sysrq_handle_crash"))
    }

    @Test func aGuestThatHangsIsKilledAtItsLimit() throws {
        let run = try Guest().run("sleep 1000", timeLimitSeconds: 3)
        #expect(run.ending == .timeLimit)
        #expect(run.errorOutput.contains("did not end within 3 s"))
    }

    @Test func aMissingQEMUIsToldWithItsCure() {
        let error = #expect(throws: LabError.self) {
            try Guest().run("true", environment: ["UNIC_QEMU": "no-such-qemu", "PATH": "/usr/bin:/bin", "HOME": "/nowhere"])
        }
        #expect(error == .lacking("no-such-qemu is missing: run Scripts/setup"))
    }

    @Test func aMissingProgramIsToldByName() {
        var guest = Guest()
        guest.programs = ["/no/such/program"]
        let error = #expect(throws: LabError.self) { try guest.run("true") }
        #expect(error?.description.contains("/no/such/program") == true)
    }

    /// One boot for all that QEMU 11 and the small kernel have.
    @Test func aSmallKernelHasIOMMUFDAndEveryFamilyInAGroupOfItsOwn() throws {
        var guest = Guest()
        guest.kernel = .small
        guest.emulator = .backports
        guest.hasDPDK = true
        guest.portCounts = [.e1000e: 2, .virtioNet: 2, .virtioNetPacked: 1, .igb: 1]
        let run = try guest.run(
            Self.describe + """
                bind-vfio $(make-vfs \(NIC.igb.address(ofPort: 0)) | tee /lab/results/vfs)
                describe /sys/bus/pci/devices/*
                for bit in 33 34; do  # VIRTIO_F_ACCESS_PLATFORM, VIRTIO_F_RING_PACKED
                    for address in \(NIC.virtioNet.address(ofPort: 0)) \(NIC.virtioNetPacked.address(ofPort: 0)); do
                        bind-vfio --interface "$address" >/dev/null
                        cut -c "$((bit + 1))" /sys/bus/pci/devices/$address/virtio*/features
                    done
                done >/lab/results/features
                test -c /dev/iommu
                ls /dev/vfio/devices | wc -l >/lab/results/device-nodes
                ldd "$(command -v dpdk-testpmd)" | grep 'not found' || true
                """)
        #expect(run.ending == .exited(0), "\(run.errorOutput)")
        let functions = [NIC.address(ofVirtualFunction: 0), NIC.address(ofVirtualFunction: 1)]
        #expect(try run.file("vfs").split(separator: "\n").map(String.init) == functions)
        let bound =
            [NIC.e1000e.address(ofPort: 0), NIC.e1000e.address(ofPort: 1)].map { "\($0) 0x10d3 vfio-pci" }
            + [NIC.virtioNet.address(ofPort: 0), NIC.virtioNet.address(ofPort: 1)].map { "\($0) 0x1041 vfio-pci" }
            + ["\(NIC.virtioNetPacked.address(ofPort: 0)) 0x1041 vfio-pci", "\(NIC.igb.address(ofPort: 0)) 0x10c9 igb"]
            + functions.map { "\($0) 0x10ca vfio-pci" }
        let lines = run.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(lines.map { $0.prefix(3).joined(separator: " ") } == bound)
        #expect(Set(lines.map { $0.last }).count == lines.count, "they share groups: \(run.output)")
        #expect(try run.file("features") == "1\n1\n0\n1\n")
        #expect(try run.file("device-nodes") == "5\n")
    }

    @Test func withoutAnIOMMUTheSmallKernelsVFIOTakesDevicesWhenTold() throws {
        var guest = Guest()
        guest.kernel = .small
        guest.iommu = .none
        guest.allowsNoIOMMU = true
        let run = try guest.run("ls /dev/vfio; cat /sys/kernel/iommu_groups/0/name")
        #expect(run.ending == .exited(0), "\(run.errorOutput)")
        #expect(run.output.split(separator: "\n") == ["noiommu-0", "noiommu-1", "vfio", "vfio-noiommu"])
    }

    @Test(arguments: [(Guest.IOMMU.virtio, "0000:00:01.0", "Y"), (.amd, "ivhd0", "N")])
    func anotherMakersIOMMUHasAGroupForEachPort(iommu: Guest.IOMMU, name: String, unsafeInterrupts: String) throws {
        var guest = Guest()
        guest.kernel = .small
        guest.iommu = iommu
        guest.portCounts = [.e1000e: 2, .virtioNet: 1]
        guest.virtioQueuePairCount = 4
        let run = try guest.run(
            Self.describe + """
                describe /sys/bus/pci/devices/*
                ls /sys/class/iommu
                cat /sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts
                ethtool -l "$(bind-vfio --interface \(NIC.virtioNet.address(ofPort: 0)))" | sed -n 's/^Combined:[^0-9]*//p'
                """)
        #expect(run.ending == .exited(0), "\(run.errorOutput)")
        let lines = run.output.split(separator: "\n")
        let ports = lines.prefix(3).map { $0.split(separator: " ") }
        #expect(ports.allSatisfy { $0.contains("vfio-pci") }, "\(run.output)")
        #expect(Set(ports.map { $0.last }).count == 3, "\(run.output)")
        #expect(lines.dropFirst(3).prefix(3) == [name[...], unsafeInterrupts[...], "4"], "\(run.output)")
    }

    @Test func whatAGuestIsMadeOfIsSaidToTheLab() {
        var guest = Guest()
        guest.emulator = .backports
        guest.iommu = .virtio
        guest.allowsUnsafeInterrupts = false
        guest.portCounts = [.igb: 1, .virtioNet: 2]
        guest.instructionTimeShift = 3
        let words = guest.arguments(resultsDirectory: "results", timeLimitSeconds: 5).joined(separator: " ")
        #expect(words.contains("--kernel debian --emulator 11 --iommu virtio --nics virtio-net:2,igb:1 --unsafe-interrupts no --icount 3"))
        guest.portCounts = [:]
        #expect(guest.arguments(resultsDirectory: "results", timeLimitSeconds: 5).joined(separator: " ").contains("--nics 0"))
    }

    @Test func anIGBWantsTheNewerQEMU() {
        var guest = Guest()
        guest.portCounts = [.igb: 1]
        let error = #expect(throws: LabError.self) { try guest.run("true") }
        #expect(error == .lacking("igb wants --emulator 11: Debian 12's QEMU has none"))
    }

    @Test func portsStandAtTheAddressesThatTheLabGivesThem() {
        #expect(NIC.e1000e.address(ofPort: 0) == "0000:00:03.0")
        #expect(NIC.e1000e.address(ofPort: 12) == "0000:00:0f.0")
        #expect(NIC.virtioNet.address(ofPort: 0) == "0000:00:10.0")
        #expect(NIC.igb.address(ofPort: 1) == "0000:02:00.0")
        #expect(NIC.address(ofVirtualFunction: 5) == "0000:01:11.2")
    }
}
