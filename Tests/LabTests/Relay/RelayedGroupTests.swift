import DeviceAccess
import Devices
import Foundation
import LabKit
import LinuxIO
import RelayPlan
import Testing

/// Functions that share an IOMMU group of the host share one of the guest, and work there together. Models stand in for the
/// host's functions: groups are the plan's and the IOMMU's affair, whatever does the DMA. Beside them is a NIC that another server
/// has: what the guest maps for it is mapped there.
@Suite(.serialized) struct RelayedGroupTests {
    @Test(arguments: [Guest.Kernel.debian, .small]) func functionsOfOneHostGroupAreOneGroupAndOneContainer(kernel: Guest.Kernel) throws {
        let directory = "/tmp/unic-groups-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let host = try ["0000:03:00.0", "0000:03:00.1"].map { try #require(PCIAddress($0)) }
        var functions = host.enumerated().map { RelayFunction(name: "shared\($0.offset)", kind: .host($0.element)) }
        let other = try ServedModel("e1000e", wire: "groups-\(UInt32.random(in: 0 ... .max))")
        functions.append(RelayFunction(name: "alone", kind: .served(other.socket)))
        let plan = try RelayPlan(
            functions: functions,
            hostGroups: [HostGroup(number: 7, members: host.map { .init(address: "\($0)", driver: "vfio-pci") })],
            options: .init(directory: directory))
        try Data(plan.topology.viot.body).write(to: URL(fileURLWithPath: plan.viotPath))
        var devices = [String: DeviceURL](uniqueKeysWithValues: try functions.map { ($0.name, try DeviceURL("soft:\(other.wire)")) })
        devices["alone"] = try DeviceURL("vfio-user:\(other.socket)")
        let relay = try ServedRelay(plan, devices: devices)
        defer { relay.stop() }

        var guest = try Binaries.guest()
        guest.kernel = kernel
        guest.emulator = .backports
        guest.iommu = .none
        guest.portCounts = [:]
        guest.allowsUnsafeInterrupts = true
        guest.emulatorArguments = plan.emulatorArguments
        let places = plan.topology.functions.map(\.address.description)
        // Both of the group, then one of them with the one that is alone: each pair in one container.
        let pairs = [[places[0], places[1]], [places[0], places[2]]]
        let runs = pairs.enumerated().map { index, pair in
            "unic pingpong \(pair.map { "--device 'vfio:\($0)?iommu=type1'" }.joined(separator: " ")) --sizes 64,1024 --count 1000 --json "
                + ">/lab/results/pair-\(index)"
        }
        let run = try guest.run(
            """
            bind-vfio \(places.joined(separator: " "))
            for place in \(places.joined(separator: " ")); do basename $(readlink /sys/bus/pci/devices/$place/iommu_group); done
            \(runs.joined(separator: "\n"))
            """, timeLimitSeconds: 200)
        #expect(run.ending == .exited(0), "\(run.ending) \(run.output) \(run.errorOutput.suffix(3000))")
        let groups = run.output.split(separator: "\n").map(String.init)
        try #require(groups.count == 3, "\(run.output)")
        #expect(groups[0] == groups[1] && groups[0] != groups[2], "\(groups)")
        for index in pairs.indices { try expectPingPong(run, "pair-\(index)", sizes: [64, 1024], count: 1000) }

        let carried = try other.status()
        #expect(carried.mapMessages >= 4 && carried.unmapMessages >= 4, "\(carried)")

        let statistics = relay.published.statistics
        #expect(statistics.endpoints.map(\.group) == ["host group 7", "host group 7", "alone"], "\(statistics)")
        #expect(statistics.faults(.mapping) == 0 && statistics.faults(.domain) == 0, "\(statistics)")
        #expect(statistics.answers(.map, .ok) > 8 && relay.published.refusals.isEmpty, "\(statistics) \(relay.published.refusals)")
    }
}
