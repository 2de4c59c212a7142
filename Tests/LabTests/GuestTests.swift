import Testing

@testable import LabKit

/// The lab itself: what a guest has, and that its end comes back whatever it is.
@Suite(.serialized)
struct GuestTests {
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

    @Test func portsStandAtTheAddressesThatTheLabGivesThem() {
        #expect(NIC.e1000e.address(ofPort: 0) == "0000:00:03.0")
        #expect(NIC.e1000e.address(ofPort: 12) == "0000:00:0f.0")
        #expect(NIC.virtioNet.address(ofPort: 0) == "0000:00:10.0")
        #expect(NIC.igb.address(ofPort: 1) == "0000:02:00.0")
        #expect(NIC.address(ofVirtualFunction: 5) == "0000:01:11.2")
    }
}
