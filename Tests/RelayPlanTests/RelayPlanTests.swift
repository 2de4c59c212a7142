import DeviceAccess
import Reports
import Testing

@testable import RelayPlan

@Suite struct RelayPlanTests {
    private static let nic = RelayFunction(name: "nic", kind: .model("e1000e"))
    private static func host(_ name: String, _ address: String) throws -> RelayFunction {
        RelayFunction(name: name, kind: .host(try #require(PCIAddress(address))))
    }
    private static func group(_ number: Int, _ members: KeyValuePairs<String, String?>) -> HostGroup {
        HostGroup(number: number, members: members.map { .init(address: $0.key, driver: $0.value) })
    }

    private func plan(
        _ functions: [RelayFunction], _ groups: [HostGroup] = [], sharing: GuestTopology.Sharing = .functions, directory: String = "/run/r"
    ) throws(RelayPlanError) -> RelayPlan {
        try RelayPlan(functions: functions, hostGroups: groups, options: .init(directory: directory, sharing: sharing))
    }

    private func refusal(
        _ functions: [RelayFunction], _ groups: [HostGroup] = [], sharing: GuestTopology.Sharing = .functions, directory: String = "/run/r"
    ) -> RelayPlanError? {
        do { _ = try plan(functions, groups, sharing: sharing, directory: directory) } catch { return error }
        return nil
    }

    /// Two NICs that share a host group, a model before and a served one behind them.
    private static let shared = group(7, ["0000:03:00.0": "vfio-pci", "0000:03:00.1": "vfio-pci", "0000:00:1c.0": "pcieport"])
    private static func mixed() throws -> [RelayFunction] {
        [
            nic, try host("left", "0000:03:00.0"), RelayFunction(name: "other", kind: .served("/run/other.sock")),
            try host("right", "0000:03:00.1"),
        ]
    }

    @Test func functionsOfOneHostGroupBecomeFunctionsOfOneDevice() throws {
        let plan = try plan(Self.mixed(), [Self.shared])
        #expect(plan.topology.iommus.map(\.address.description) == ["0000:00:1e.0"])
        #expect(
            plan.topology.ports.map { $0.functions.map { "\($0.function.name) \($0.address)" } } == [
                ["nic 0000:01:00.0"], ["left 0000:02:00.0", "right 0000:02:00.1"], ["other 0000:03:00.0"],
            ])
        #expect(plan.topology.functions.map(\.endpoint) == [0x0100, 0x0200, 0x0201, 0x0300])
        #expect(plan.topology.functions.allSatisfy { $0.aliases.isEmpty })
        #expect(plan.topology.ports.map(\.hostGroup) == [nil, 7, nil])
        #expect(plan.guestGroups.map(\.functions) == [["nic"], ["left", "right"], ["other"]])
        #expect(plan.guestGroups.allSatisfy { !$0.dependsOnProbeOrder })
        #expect(
            plan.topology.viot.ranges.map { [UInt32($0.first), UInt32($0.last), $0.firstEndpoint] } == [
                [0x0100, 0x0100, 0x0100], [0x0200, 0x0201, 0x0200], [0x0300, 0x0300, 0x0300],
            ])
    }

    @Test func behindABridgeTheyHaveAnAliasAndTheBusesAreTwo() throws {
        let plan = try plan(Self.mixed(), [Self.shared], sharing: .bridge)
        #expect(
            plan.topology.ports.map { $0.functions.map(\.address.description) } == [
                ["0000:01:00.0"], ["0000:03:01.0", "0000:03:02.0"], ["0000:04:00.0"],
            ])
        let bridge = try #require(plan.topology.ports[1].bridge)
        #expect(bridge.endpoint == 0x0200 && bridge.secondaryBus == 3)
        #expect(plan.topology.ports[1].functions.map(\.aliases) == [[0x0300], [0x0300]])
        #expect(plan.guestGroups.map(\.dependsOnProbeOrder) == [false, true, false])
        // The bridge, then everything from the alias to the last function: Linux looks all of them up.
        #expect(plan.topology.viot.ranges[1...2].map { [$0.first, $0.last] } == [[0x0200, 0x0200], [0x0300, 0x0310]])
        #expect(plan.text.contains("built into the kernel"))
    }

    @Test func aGroupWithOneFunctionGivenIsLikeASingleton() throws {
        let plan = try plan([Self.host("left", "0000:03:00.0")], [Self.shared], sharing: .bridge)
        #expect(plan.topology.ports[0].bridge == nil)
        #expect(plan.topology.functions[0].address.description == "0000:01:00.0")
        #expect(plan.hostGroups == [Self.shared])
    }

    @Test func theArgumentsSayPlacesMemoryAndTable() throws {
        let words = try plan(Self.mixed(), [Self.shared]).emulatorArguments
        #expect(
            words.prefix(6) == [
                "-machine", "q35,memory-backend=unic-memory", "-m", "1024M", "-object",
                "memory-backend-memfd,id=unic-memory,size=1024M,share=on",
            ])
        #expect(words[7] == "sig=VIOT,rev=0,oem_id=UNIC,oem_table_id=UNICVIOT,data=/run/r/unic-viot.bin")
        let devices = zip(words, words.dropFirst()).filter { $0.0 == "-device" }.map(\.1)
        #expect(devices.count == 1 + 3 + 4)
        #expect(
            devices[0]
                == #"{"driver":"vfio-user-pci","id":"unic-iommu","bus":"pcie.0","addr":"0x1e.0","socket":{"type":"unix","path":"/run/r/unic-iommu.sock"}}"#
        )
        #expect(
            devices[3]
                == "pcie-root-port,id=unic-port1,bus=pcie.0,addr=0x1.1,multifunction=on,chassis=129")
        #expect(
            devices[5]
                == #"{"driver":"vfio-user-pci","id":"right","bus":"unic-port1","addr":"0x0.1","multifunction":true,"socket":{"type":"unix","path":"/run/r/right.sock"}}"#
        )
        let bridged = try plan(Self.mixed(), [Self.shared], sharing: .bridge).emulatorArguments
        #expect(bridged.contains("pcie-pci-bridge,id=unic-bridge1,bus=unic-port1"))
        #expect(bridged.contains { $0.contains(#""bus":"unic-bridge1","addr":"0x2.0","socket""#) })
    }

    @Test(arguments: [
        (GuestIOMMU.intel, "q35,kernel-irqchip=split,memory-backend=unic-memory", "intel-iommu,intremap=on,caching-mode=on"),
        (.virtio, "q35,memory-backend=unic-memory", "virtio-iommu-pci,addr=0x1e"),
    ]) func withAnIOMMUOfQEMUsThereIsNoneOfTheRelays(viommu: GuestIOMMU, machine: String, device: String) throws {
        let plan = try RelayPlan(functions: [Self.nic], hostGroups: [], options: .init(directory: "/run/r", viommu: viommu))
        let words = plan.emulatorArguments
        #expect(words[1] == machine && words[6...7] == ["-device", device], "\(words)")
        #expect(!words.contains("-acpitable") && !words.contains { $0.contains("unic-iommu") }, "\(words)")
        #expect(words.last?.contains(#""id":"nic","bus":"unic-port0""#) == true, "\(words)")
        #expect(plan.json.text.hasPrefix(#"{"iommus":[],"functions":["#) && plan.json.text.contains(#""iommu":null,"endpoint":256"#))
        #expect(plan.json.text.contains(#""viot":null"#) && plan.json.text.contains(#""viommu":"\#(viommu.rawValue)""#))
        #expect(plan.text.contains("the guest's IOMMU is QEMU's \(viommu.rawValue)") && !plan.text.contains("unic-iommu"))
        // It is one.
        #expect(throws: RelayPlanError.iommusOfEmulator(viommu, iommuCount: 2)) {
            try RelayPlan(
                functions: Self.mixed(), hostGroups: [Self.shared], options: .init(directory: "/run/r", viommu: viommu, iommuCount: 2))
        }
        // The host has one address space for the two.
        #expect(throws: RelayPlanError.groupInTwoConnections(group: 7, names: ["left", "right"])) {
            try RelayPlan(functions: Self.mixed(), hostGroups: [Self.shared], options: .init(directory: "/run/r", viommu: viommu))
        }
    }

    @Test func fortyEightPortsHavePlacesAndNoMore() throws {
        let functions = (0..<49).map { RelayFunction(name: "n\($0)", kind: .model("e1000e")) }
        let plan = try plan(Array(functions.dropLast()))
        #expect(plan.topology.ports.last?.address.description == "0000:00:06.7")
        #expect(plan.topology.ports.last?.secondaryBus == 48)
        #expect(Set(plan.topology.ports.map(\.address)).count == 48)
        #expect(plan.topology.viot.body.count == 12 + 16 + 48 * 24)
        #expect(refusal(functions) == .tooManyFunctions(portCount: 49, placeCount: 48))
    }

    @Test func portsBeginWhereTold() throws {
        func plan(_ place: UInt8) throws(RelayPlanError) -> RelayPlan {
            try RelayPlan(functions: [Self.nic], hostGroups: [], options: .init(directory: "/run/r", firstPlace: place))
        }
        #expect(try plan(24).topology.ports[0].address.description == "0000:00:18.0")
        for place: UInt8 in [0, 25, 255] { #expect(throws: RelayPlanError.noSuchPlace(place)) { try plan(place) } }
    }

    @Test func severalIOMMUsGetTheSlotsInTurn() throws {
        func plan(_ count: Int, sharing: GuestTopology.Sharing = .functions) throws -> RelayPlan {
            try RelayPlan(
                functions: try Self.mixed(), hostGroups: [Self.shared],
                options: .init(directory: "/run/r", sharing: sharing, iommuCount: count))
        }
        let two = try plan(2)
        #expect(two.topology.iommus.map(\.name) == ["unic-iommu", "unic-iommu1"])
        #expect(two.topology.iommus.map(\.address.description) == ["0000:00:1e.0", "0000:00:1e.1"])
        // nic; left and right, which stay together; other.
        #expect(two.topology.ports.map(\.iommu) == [0, 1, 0])
        #expect(two.topology.viot.iommus == [0x00f0, 0x00f1] && two.topology.viot.ranges.map(\.iommu) == [0, 1, 0])
        // Behind a bridge, the bridge's own range and the one of its bus go to the same IOMMU.
        let bridged = try plan(3, sharing: .bridge).topology.viot
        #expect(bridged.iommus.count == 3 && bridged.ranges.map(\.iommu) == [0, 1, 1, 2])
        #expect(bridged.ranges[1...2].map { [$0.first, $0.last] } == [[0x0200, 0x0200], [0x0300, 0x0310]])
        // Output nodes are the IOMMUs' offsets, counted with the header.
        let nodes = bridged.body.dropFirst(12 + 3 * 16)
        #expect((0..<4).map { nodes[nodes.startIndex + 24 * $0 + 16] } == [48, 64, 64, 80])
        let devices = zip(two.emulatorArguments, two.emulatorArguments.dropFirst()).filter { $0.0 == "-device" }.map(\.1)
        for (index, name) in ["unic-iommu", "unic-iommu1"].enumerated() {
            #expect(
                devices[index]
                    == #"{"driver":"vfio-user-pci","id":"\#(name)","bus":"pcie.0","addr":"0x1e.\#(index)","multifunction":true,"#
                    + #""socket":{"type":"unix","path":"/run/r/\#(name).sock"}}"#)
        }
        #expect(throws: RelayPlanError.idleIOMMU(iommuCount: 4, slotCount: 3)) { try plan(4) }
        for count in [0, 9] { #expect(throws: RelayPlanError.iommuCount(count)) { try plan(count) } }
    }

    @Test func aGroupThatDoesNotFitIntoOneSlotIsRefused() throws {
        let addresses = (0..<32).map { "0000:05:0\($0 / 8).\($0 % 8)" }
        let group = HostGroup(number: 3, members: addresses.map { .init(address: $0, driver: "vfio-pci") })
        let functions = try addresses.enumerated().map { try Self.host("n\($0.offset)", $0.element) }
        #expect(refusal(Array(functions.prefix(8)), [group]) == nil)
        #expect(refusal(Array(functions.prefix(9)), [group]) == .tooManyInGroup(group: 3, functionCount: 9, placeCount: 8))
        #expect(refusal(Array(functions.prefix(31)), [group], sharing: .bridge) == nil)
        #expect(refusal(functions, [group], sharing: .bridge) == .tooManyInGroup(group: 3, functionCount: 32, placeCount: 31))
    }

    @Test func whatTheHostCannotGiveIsRefused() throws {
        let left = try Self.host("left", "0000:03:00.0")
        let address = try #require(PCIAddress("0000:03:00.0"))
        #expect(refusal([left]) == .noGroup(name: "left", address: address))
        let held = Self.group(7, ["0000:03:00.0": "vfio-pci", "0000:03:00.1": "igb"])
        #expect(refusal([left], [held]) == .notViable(name: "left", group: 7, member: "0000:03:00.1", driver: "igb"))
        #expect(refusal([left], [Self.group(7, ["0000:03:00.0": "igb"])]) == .notBound(name: "left", address: address, driver: "igb"))
        #expect(refusal([left], [Self.group(7, ["0000:03:00.0": nil])]) == .notBound(name: "left", address: address, driver: nil))
        #expect(refusal([left], [Self.group(7, ["0000:03:00.0": "vfio-pci", "0000:03:00.1": nil])]) == nil)
        let made = HostGroup(number: 7, isNoIOMMU: true, members: [.init(address: "0000:03:00.0", driver: "vfio-pci")])
        #expect(refusal([left], [made]) == .noIOMMU(name: "left", address: address, group: 7))
        #expect(
            RelayPlanError.notViable(name: "left", group: 7, member: "0000:03:00.1", driver: "igb").description
                == "The host's IOMMU group 7 of 'left' has 0000:03:00.1, which the driver igb holds; bind it to vfio-pci as well, "
                + "or leave it without a driver.")
    }

    @Test func namesAndDevicesAreGivenOnce() throws {
        #expect(refusal([]) == .nothingToRelay)
        #expect(refusal([Self.nic, Self.nic]) == .nameTwice("nic"))
        let twice = [try Self.host("a", "0000:03:00.0"), try Self.host("b", "0000:03:00.0")]
        #expect(refusal(twice, [Self.shared]) == .deviceTwice("0000:03:00.0", first: "a", second: "b"))
        let served = ["a", "b"].map { RelayFunction(name: $0, kind: .served("/s")) }
        #expect(refusal(served) == .deviceTwice("vfio-user at /s", first: "a", second: "b"))
        let models = ["a", "b"].map { RelayFunction(name: $0, kind: .model("e1000e")) }
        #expect(refusal(models) == nil)
    }

    @Test(arguments: ["", "1nic", "a b", "a/b", "a\"", "é", "unic-iommu", String(repeating: "a", count: 41)])
    func aNameThatQEMUOrAPathWouldNotTakeIsRefused(name: String) {
        #expect(refusal([RelayFunction(name: name, kind: .model("e1000e"))]) == .unusableName(name))
    }

    @Test func pathsFitIntoSocketsAndArguments() {
        let fits = "/" + String(repeating: "d", count: 107 - 1 - "/unic-iommu.sock".utf8.count)
        #expect(refusal([Self.nic], directory: fits) == nil)
        #expect(refusal([Self.nic], directory: fits + "d") == .pathTooLong("\(fits)d/unic-iommu.sock", byteCount: 108, limit: 107))
        for (directory, name) in [
            ("/a\"b", "quote"), ("/a\\b", "backslash"), ("/a,b", "comma"), ("/a:b", "colon"), ("/a\nb", "control character"),
        ] {
            #expect(refusal([Self.nic], directory: directory) == .pathCharacter("\(directory)/unic-iommu.sock", character: name))
        }
        #expect(RelayPlanError.pathCharacter("/a\nb", character: "control character").description.contains("'/a?b'"))
    }

    @Test func theReportHasPlacesAndGroups() throws {
        let plan = try plan(Self.mixed(), [Self.shared])
        let lines = plan.text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        #expect(lines.contains("right 0000:03:00.1 7 0000:02:00.1 unic-iommu 0x0201"))
        #expect(lines.contains("7: 0000:03:00.0 (vfio-pci), 0000:03:00.1 (vfio-pci), 0000:00:1c.0 (pcieport)"))
        #expect(lines.contains("left, right"))
        #expect(!plan.text.contains("built into the kernel"))
        #expect(try self.plan([Self.nic]).text.contains("none is needed"))
    }

    @Test func theReportForProgramsIsJSON() throws {
        let text = try plan(Self.mixed(), [Self.shared]).json.text
        #expect(
            text.hasPrefix(
                #"{"iommus":[{"name":"unic-iommu","address":"0000:00:1e.0","socket":"/run/r/unic-iommu.sock"}],"functions":[{"name":"nic","#
            ))
        #expect(
            text.contains(
                #""name":"right","host":"0000:03:00.1","host_group":7,"address":"0000:02:00.1","iommu":0,"endpoint":513,"aliases":[]"#))
        #expect(text.contains(#""guest_groups":[{"functions":["nic"],"depends_on_probe_order":false}"#))
        #expect(text.contains(#""viot":{"path":"/run/r/unic-viot.bin","byte_count":100}"#))
    }
}
