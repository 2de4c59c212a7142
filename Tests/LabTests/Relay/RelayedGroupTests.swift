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
    /// Two IOMMUs: the group is behind the first, the one that is alone behind the second.
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
            options: .init(directory: directory, iommuCount: 2))
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
        // Both of the group, then one of them with the one that is alone, behind the other IOMMU: each pair in one container.
        let pairs = [[places[0], places[1]], [places[0], places[2]]]
        let runs = pairs.enumerated().map { index, pair in
            "unic pingpong \(pair.map { "--device 'vfio:\($0)?iommu=type1'" }.joined(separator: " ")) --sizes 64,1024 --count 1000 --json "
                + ">/lab/results/pair-\(index)"
        }
        let run = try guest.run(
            """
            bind-vfio \(places.joined(separator: " "))
            for place in \(places.joined(separator: " ")); do basename $(readlink /sys/bus/pci/devices/$place/iommu_group); done
            for place in \(places.joined(separator: " ")); do basename $(readlink /sys/bus/pci/devices/$place/iommu); done
            \(runs.joined(separator: "\n"))
            """, timeLimitSeconds: 200)
        #expect(run.ending == .exited(0), "\(run.ending) \(run.output) \(run.errorOutput.suffix(3000))")
        let lines = run.output.split(separator: "\n").map(String.init)
        try #require(lines.count == 6, "\(run.output)")
        // Groups, then IOMMUs.
        for one in [lines[0..<3], lines[3..<6]] { #expect(one.first == one.dropFirst().first && one.first != one.last, "\(lines)") }
        for index in pairs.indices { try expectPingPong(run, "pair-\(index)", sizes: [64, 1024], count: 1000) }

        let carried = try other.status()
        #expect(carried.mapMessages >= 4 && carried.unmapMessages >= 4, "\(carried)")

        #expect(relay.published.map { $0.statistics.endpoints.map(\.group) } == [["host group 7", "host group 7"], ["alone"]])
        for published in relay.published {
            let statistics = published.statistics
            #expect(statistics.faults(.mapping) == 0 && statistics.faults(.domain) == 0, "\(statistics)")
            #expect(statistics.answers(.map, .ok) > 3 && published.refusals.isEmpty, "\(statistics) \(published.refusals)")
        }
    }

    /// Behind a bridge the small kernel, whose NIC drivers are built in, founds a group for each function. The plan says so, and the
    /// relay refuses what would put the two into different domains: VFIO does not take the second function then.
    @Test func aKernelThatSplitsAHostGroupIsRefusedTheSecondDomain() throws {
        let directory = "/tmp/unic-split-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let host = try ["0000:03:00.0", "0000:03:00.1"].map { try #require(PCIAddress($0)) }
        let functions = host.enumerated().map { RelayFunction(name: "shared\($0.offset)", kind: .host($0.element)) }
        let plan = try RelayPlan(
            functions: functions,
            hostGroups: [HostGroup(number: 7, members: host.map { .init(address: "\($0)", driver: "vfio-pci") })],
            options: .init(directory: directory, sharing: .bridge))
        #expect(plan.text.contains("finds functions behind a bridge in a group each, and the relay then\nrefuses"), "\(plan.text)")
        try Data(plan.topology.viot.body).write(to: URL(fileURLWithPath: plan.viotPath))
        let url = try DeviceURL("soft:split-\(processIdentifier)-\(UInt32.random(in: 0 ... .max))")
        let relay = try ServedRelay(plan, devices: Dictionary(uniqueKeysWithValues: functions.map { ($0.name, url) }))
        defer { relay.stop() }

        var guest = try Binaries.guest()
        guest.kernel = .small
        guest.emulator = .backports
        guest.iommu = .none
        guest.portCounts = [:]
        guest.allowsUnsafeInterrupts = true
        guest.emulatorArguments = plan.emulatorArguments
        let places = plan.topology.functions.map(\.address.description)
        let run = try guest.run(
            """
            for place in \(places.joined(separator: " ")); do
                bind-vfio $place 2>/dev/null && echo "$place is bound" || echo "$place is refused"
                [ ! -e /sys/bus/pci/devices/$place/iommu_group ] || echo "$place has a group"
            done
            dmesg >/lab/results/dmesg
            """, timeLimitSeconds: 120)
        #expect(run.ending == .exited(0), "\(run.ending) \(run.output) \(run.errorOutput.suffix(3000))")
        #expect(
            run.output.split(separator: "\n")
                == ["\(places[0]) is bound", "\(places[0]) has a group", "\(places[1]) is refused"], "\(run.output)")
        // Linux says where the ATTACH of the second function's own domain came from (iommu_setup_default_domain() of drivers/iommu/iommu.c).
        let log = try run.file("dmesg")
        #expect(log.contains("iommu_setup_default_domain"), "\(log.suffix(3000))")
        #expect(log.contains("vfio-pci \(places[1]): probe with driver vfio-pci failed with error -22"), "\(log.suffix(3000))")
        let published = try #require(relay.published.first)
        #expect(published.statistics.answers(.attach, .unsupported) >= 2, "\(published.statistics)")
        let second = plan.topology.functions[1].endpoint
        #expect(
            published.refusals.contains {
                $0.status == .unsupported && $0.reason.hasPrefix("endpoint \(second) cannot be in domain ")
                    && $0.reason.contains("of the same host group host group 7, is in ")
            }, "\(published.refusals)")
    }
}
