import Reports

extension RelayPlan {
    /// QEMU's arguments, to stand before all others: see ``GuestTopology`` for why. The relay has to listen at the sockets
    /// before QEMU starts. The guest's memory is a file that the relay maps, so it must be shared.
    public var emulatorArguments: [String] {
        var words = ["-machine", options.viommu.machine, "-m", "\(options.memoryMebibytes)M"]
        words += ["-object", "memory-backend-memfd,id=unic-memory,size=\(options.memoryMebibytes)M,share=on"]
        if let device = options.viommu.device {
            words += ["-device", device]
        } else {
            words += relayedIOMMUs
        }
        for (index, port) in topology.ports.enumerated() {
            words += ["-device", rootPort(port, chassis: 128 + index)]
            if let bridge = port.bridge { words += ["-device", "pcie-pci-bridge,id=\(bridge.name),bus=\(port.name)"] }
            words += port.functions.flatMap { ["-device", device($0, behind: port)] }
        }
        return words
    }

    private var relayedIOMMUs: [String] {
        var words = ["-acpitable", "sig=VIOT,rev=0,oem_id=UNIC,oem_table_id=UNICVIOT,data=\(viotPath)"]
        for iommu in topology.iommus {
            let address = "0x\(hexadecimal(iommu.address.device)).\(iommu.address.function)"
            words += [
                "-device",
                client(iommu.name, bus: "pcie.0", address: address, isMultifunction: topology.iommus.count > 1, socket(of: iommu)),
            ]
        }
        return words
    }

    /// The device's part of the arguments, which `device_add` takes as well.
    public func device(_ placed: GuestTopology.PlacedFunction, behind port: GuestTopology.RootPort) -> String {
        client(
            placed.function.name, bus: port.bridge?.name ?? port.name,
            address: "0x\(hexadecimal(placed.address.device)).\(placed.address.function)",
            isMultifunction: port.bridge == nil && port.functions.count > 1, socket(of: placed.function))
    }

    private func client(_ name: String, bus: String, address: String, isMultifunction: Bool = false, _ socket: String) -> String {
        var members: [(key: String, value: JSONValue)] = [
            ("driver", .string("vfio-user-pci")), ("id", .string(name)), ("bus", .string(bus)), ("addr", .string(address)),
        ]
        if isMultifunction { members.append(("multifunction", .bool(true))) }
        members.append(("socket", .object([("type", .string("unix")), ("path", .string(socket))])))
        return JSONValue.object(members).text
    }

    /// Eight ports share a place. Not as JSON, so that QEMU makes them before other devices. Chassis numbers begin where nobody
    /// else's do.
    private func rootPort(_ port: GuestTopology.RootPort, chassis: Int) -> String {
        "pcie-root-port,id=\(port.name),bus=pcie.0,addr=0x\(hexadecimal(port.address.device)).\(port.address.function),"
            + "multifunction=on,chassis=\(chassis)"
    }

    private func hexadecimal(_ value: UInt8) -> String { String(value, radix: 16) }
}
