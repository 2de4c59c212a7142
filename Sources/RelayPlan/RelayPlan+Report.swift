public import Reports

extension RelayPlan {
    /// A group as the guest will have it.
    public struct GuestGroup: Equatable, Sendable {
        public let functions: [String]
        /// Linux makes it only if it probes the bridge before the functions behind it; otherwise each is alone, and the
        /// relay refuses to give them different domains.
        public let dependsOnProbeOrder: Bool
    }

    public var guestGroups: [GuestGroup] {
        topology.ports.map { GuestGroup(functions: $0.functions.map(\.function.name), dependsOnProbeOrder: $0.bridge != nil) }
    }

    /// For a terminal: places, groups before and after, QEMU's arguments.
    public var text: String {
        var places = TextTable(header: ["name", "what", "host group", "in the guest", "IOMMU", "endpoint", "aliases"])
        for iommu in servedIOMMUs { places.append([iommu.name, "virtio-iommu", "", iommu.address.description, "", "", ""]) }
        for port in topology.ports {
            for placed in port.functions {
                places.append([
                    placed.function.name, placed.function.kindText, port.hostGroup.map(String.init) ?? "", placed.address.description,
                    iommuName(port), endpointText(placed.endpoint),
                    placed.aliases.map(endpointText).joined(separator: " "),
                ])
            }
        }
        var lines = [places.text, "groups of the host:\n"]
        for group in hostGroups {
            let members = group.members.map { "\($0.address) (\($0.driver ?? "no driver"))" }
            lines.append("  \(group.number): \(members.joined(separator: ", "))\n")
        }
        if hostGroups.isEmpty { lines.append("  none is needed\n") }
        lines.append("groups of the guest:\n")
        for group in guestGroups { lines.append("  \(group.functions.joined(separator: ", "))\n") }
        if guestGroups.contains(where: \.dependsOnProbeOrder) {
            lines.append(
                "A guest whose NIC drivers are built into the kernel finds functions behind a bridge in a group each, and the relay then\n"
                    + "refuses to give them different domains. Functions of one device do not have that trouble.\n")
        }
        if options.viommu != .relay { lines.append("the guest's IOMMU is QEMU's \(options.viommu.rawValue)\n") }
        lines.append("arguments for QEMU, before all others:\n")
        var words = emulatorArguments[...]
        while let option = words.popFirst(), let value = words.popFirst() {
            lines.append("  \(option) \(value.contains("\"") ? "'\(value)'" : value)\n")
        }
        return lines.joined()
    }

    /// The same for programs.
    public var json: JSONValue {
        .object([
            ("iommus", .array(servedIOMMUs.map(json))),
            ("functions", .array(topology.ports.flatMap { port in port.functions.map { json($0, behind: port) } })),
            (
                "host_groups",
                .array(
                    hostGroups.map { group in
                        .object([
                            ("number", .integer(group.number)),
                            (
                                "members",
                                .array(
                                    group.members.map { member in
                                        .object([
                                            ("address", .string(member.address)), ("driver", member.driver.map { .string($0) } ?? .null),
                                        ])
                                    })
                            ),
                        ])
                    })
            ),
            (
                "guest_groups",
                .array(
                    guestGroups.map { group in
                        .object([
                            ("functions", .array(group.functions.map { .string($0) })),
                            ("depends_on_probe_order", .bool(group.dependsOnProbeOrder)),
                        ])
                    })
            ),
            (
                "viot",
                options.viommu == .relay
                    ? .object([("path", .string(viotPath)), ("byte_count", .integer(topology.viot.body.count))]) : .null
            ),
            ("viommu", .string(options.viommu.rawValue)),
            ("arguments", .array(emulatorArguments.map { .string($0) })),
        ])
    }

    /// None if QEMU plays the IOMMU.
    private var servedIOMMUs: [GuestTopology.IOMMU] { options.viommu == .relay ? topology.iommus : [] }

    private func iommuName(_ port: GuestTopology.RootPort) -> String {
        options.viommu == .relay ? topology.iommus[port.iommu].name : options.viommu.rawValue
    }

    private func json(_ iommu: GuestTopology.IOMMU) -> JSONValue {
        .object([
            ("name", .string(iommu.name)), ("address", .string(iommu.address.description)), ("socket", .string(socket(of: iommu))),
        ])
    }

    private func json(_ placed: GuestTopology.PlacedFunction, behind port: GuestTopology.RootPort) -> JSONValue {
        let kind: (key: String, value: JSONValue) =
            switch placed.function.kind {
            case .model(let family): ("model", .string(family))
            case .host(let address): ("host", .string(address.description))
            case .served(let socket): ("served", .string(socket))
            }
        return .object([
            ("name", .string(placed.function.name)), kind, ("host_group", port.hostGroup.map { .integer($0) } ?? .null),
            ("address", .string(placed.address.description)), ("iommu", options.viommu == .relay ? .integer(port.iommu) : .null),
            ("endpoint", .integer(Int(placed.endpoint))),
            ("aliases", .array(placed.aliases.map { .integer(Int($0)) })), ("port", .string(port.name)),
            ("socket", .string(socket(of: placed.function))), ("device", .string(device(placed, behind: port))),
        ])
    }

    private func endpointText(_ endpoint: UInt32) -> String {
        let digits = String(endpoint, radix: 16)
        return "0x" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
