import Foundation
import Testing

@testable import RelayPlan

@Suite struct HostGroupTests {
    @Test func groupsAreReadFromSysfs() throws {
        let files = FileManager.default
        let root = files.temporaryDirectory.appendingPathComponent("unic-groups-\(UUID().uuidString)").path
        defer { try? files.removeItem(atPath: root) }
        let groups = "\(root)/sys/kernel/iommu_groups"
        for (group, address, driver) in [
            ("10", "0000:04:00.0", nil), ("7", "0000:03:00.1", "igb"), ("7", "0000:03:00.0", "vfio-pci"),
            ("11", "0000:05:00.0", "vfio-pci"),
        ] {
            let device = "\(groups)/\(group)/devices/\(address)"
            try files.createDirectory(atPath: device, withIntermediateDirectories: true)
            if let driver { try files.createSymbolicLink(atPath: "\(device)/driver", withDestinationPath: "../../drivers/\(driver)") }
        }
        try "vfio-noiommu\n".write(toFile: "\(groups)/11/name", atomically: true, encoding: .utf8)
        #expect(
            HostGroup.readAll(root: root) == [
                HostGroup(
                    number: 7, members: [.init(address: "0000:03:00.0", driver: "vfio-pci"), .init(address: "0000:03:00.1", driver: "igb")]),
                HostGroup(number: 10, members: [.init(address: "0000:04:00.0", driver: nil)]),
                HostGroup(number: 11, isNoIOMMU: true, members: [.init(address: "0000:05:00.0", driver: "vfio-pci")]),
            ])
    }

    @Test func aMachineWithoutAnIOMMUHasNoGroups() { #expect(HostGroup.readAll(root: "/nowhere").isEmpty) }
}
