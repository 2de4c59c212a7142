import LabKit
import Testing

/// What groups Linux makes of NICs that QEMU puts together: docs/relay-groups.md has the whole table.
@Suite(.serialized) struct IOMMUGroupTests {
    private static let kernels: [Guest.Kernel] = [.debian, .small, .small61]

    /// Two of each: alone on bus 0, behind a conventional bridge, functions of one device.
    private static func guest(_ kernel: Guest.Kernel, _ emulator: Guest.Emulator, _ iommu: Guest.IOMMU) -> Guest {
        var guest = Guest()
        guest.kernel = kernel
        guest.emulator = emulator
        guest.iommu = iommu
        guest.portCounts = [.e1000e: 2, .e1000eBridged: 2, .e1000eFunctions: 2]
        guest.bindsPorts = false
        return guest
    }

    /// The group of each NIC after VFIO was offered it; nil for one that VFIO could not have.
    private func groups(_ guest: Guest) throws -> [NIC: [String?]] {
        let nics: [NIC] = [.e1000e, .e1000eBridged, .e1000eFunctions]
        let addresses = nics.flatMap { nic in (0..<2).map { guest.address(ofPort: $0, of: nic) } }
        let run = try guest.run(
            """
            for address; do
                bind-vfio "$address" 2>/dev/null || true
                echo "$address $(basename "$(readlink /sys/bus/pci/devices/$address/iommu_group)")"
            done
            """, arguments: addresses, timeLimitSeconds: 300)
        try #require(run.ending == .exited(0), "\(run.errorOutput)")
        print("\(guest.kernel) \(guest.emulator) \(guest.iommu):\n\(run.output)", terminator: "")
        let lines = run.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        try #require(lines.map { $0[0] } == addresses, "\(run.output)")
        let numbers = lines.map { $0.count > 1 ? $0[1] : nil }
        return Dictionary(uniqueKeysWithValues: nics.enumerated().map { ($0.element, Array(numbers[2 * $0.offset..<2 * $0.offset + 2])) })
    }

    /// QEMU's virtio-iommu knows NICs behind a conventional bridge by the bridge's alias only. Linux asks it about each one's
    /// own requester id as well, is told that there is no such endpoint, and VFIO cannot have the NIC.
    @Test(arguments: kernels, [Guest.Emulator.backports, .installed])
    func underVirtioFunctionsShareAGroupAndBridgedOnesHaveNone(kernel: Guest.Kernel, emulator: Guest.Emulator) throws {
        let groups = try groups(Self.guest(kernel, emulator, .virtio))
        #expect(Set(try #require(groups[.e1000e])).count == 2)
        #expect(groups[.e1000eBridged] == [nil, nil])
        let shared = try #require(groups[.e1000eFunctions])
        #expect(shared[0] != nil && shared[0] == shared[1])
        #expect(!(groups[.e1000e] ?? []).contains(shared[0]))
    }

    /// Where the IOMMU is there before any driver, functions are grouped in the order of buses: bridges come first.
    @Test(arguments: kernels) func underIntelsBothShareAGroup(kernel: Guest.Kernel) throws {
        let groups = try groups(Self.guest(kernel, .installed, .intel))
        #expect(Set(try #require(groups[.e1000e])).count == 2)
        for nic in [NIC.e1000eBridged, .e1000eFunctions] {
            let shared = try #require(groups[nic])
            #expect(shared[0] != nil && shared[0] == shared[1])
        }
        #expect(groups[.e1000eBridged]?[0] != groups[.e1000eFunctions]?[0])
    }
}
