import DeviceAccess
import Foundation
import LabKit
import RelayPlan
import Testing

/// A plan and what a guest makes of it.
@Suite(.serialized) struct RelayTopologyTests {
    /// NICs alone and in a host group; the functions are models, for only their places count here, and so is what stands in
    /// the IOMMU's.
    @Test(arguments: [GuestTopology.Sharing.functions, .bridge])
    func theGuestSeesThePlannedPlacesAndTheTable(sharing: GuestTopology.Sharing) throws {
        let directory = "/tmp/unic-plan-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let host = try ["0000:03:00.0", "0000:03:00.1"].map { try #require(PCIAddress($0)) }
        // Nine more fill the first place with ports and reach the second.
        var functions = (0..<2).map { RelayFunction(name: "first\($0)", kind: .model("e1000e")) }
        functions += host.enumerated().map { RelayFunction(name: "shared\($0.offset)", kind: .host($0.element)) }
        functions += (0..<6).map { RelayFunction(name: "last\($0)", kind: .model("e1000e")) }
        let plan = try RelayPlan(
            functions: functions,
            hostGroups: [HostGroup(number: 7, members: host.map { .init(address: "\($0)", driver: "vfio-pci") })],
            options: .init(directory: directory, sharing: sharing))
        try Data(plan.topology.viot.body).write(to: URL(fileURLWithPath: plan.viotPath))
        let models = try (plan.topology.iommus.map { plan.socket(of: $0) } + functions.map { plan.socket(of: $0) }).map {
            try ServedModel("e1000e", wire: "plan", socket: $0)
        }
        var guest = Guest()
        guest.emulator = .backports
        guest.iommu = .none
        // What the guest has besides: a NIC behind a root port and files, whose places QEMU chooses.
        guest.portCounts = [.igb: 1]
        guest.emulatorArguments = plan.emulatorArguments
        let run = try guest.run(
            """
            for device in /sys/bus/pci/devices/*; do
                case $(<$device/device) in 0x10d3) echo "${device##*/}" ;; esac
            done
            od -An -v -tu1 -j36 /sys/firmware/acpi/tables/VIOT >/lab/results/viot
            dmesg | grep VIOT
            """, timeLimitSeconds: 300)
        try #require(run.ending == .exited(0), "\(run.errorOutput)")
        let planned = plan.topology.iommus.map(\.address.description) + plan.topology.functions.map(\.address.description)
        #expect(run.output.split(separator: "\n").filter { $0.hasPrefix("0000:") }.map(String.init) == planned)
        #expect(run.output.contains("ACPI: VIOT"))
        #expect(try run.file("viot").split(whereSeparator: \.isWhitespace).map { UInt8($0) } == plan.topology.viot.body)
        for model in models { _ = try model.finish() }
    }

    /// Linux goes through the table's nodes and looks for the function: with none there it says so, and ends.
    @Test func linuxReadsTheTableAndMissesTheIOMMU() throws {
        let path = "/tmp/unic-viot-\(UInt32.random(in: 0 ... .max)).bin"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let table = try VIOTTable(iommus: [0x00f0], ranges: [.init(first: 0x0018, last: 0x0027, firstEndpoint: 0x0018)])
        try Data(table.body).write(to: URL(fileURLWithPath: path))
        var guest = Guest()
        guest.emulator = .backports
        guest.iommu = .none
        guest.emulatorArguments = ["-acpitable", "sig=VIOT,rev=0,oem_id=UNIC,oem_table_id=UNICVIOT,data=\(path)"]
        let run = try guest.run("dmesg | grep VIOT")
        #expect(run.ending == .exited(0), "\(run.errorOutput)")
        #expect(run.output.contains("UNICVIOT") && run.output.contains("Could not find PCI IOMMU"), "\(run.output)")
    }
}
