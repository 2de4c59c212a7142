public import DeviceAccess

/// Where the guest finds what the relay gives it: the IOMMU on bus 0, and behind each root port one function, or all functions
/// that share an IOMMU group of the host.
///
/// The root ports stand on bus 0 before anything else that makes a bus, so that the buses, which firmware numbers depth first
/// in the order of places, are ours from 1 on, whatever else the guest has. That is why these devices come first in QEMU's
/// arguments: what has no place of its own takes the next free one behind them. A place that is taken, as by the display
/// adapter that QEMU adds without `-vga none`, is QEMU's error, and another first place is the cure; then nothing before it
/// may make a bus.
///
/// IOMMUs are functions of one device near the end of bus 0: QEMU makes devices that are written as JSON after all others, and a
/// vfio-user device cannot be written otherwise. What is behind a root port is served by one of them, whose domains are its own.
public struct GuestTopology: Equatable, Sendable {
    /// How functions of one host group are shown to be one group of the guest, too.
    public enum Sharing: String, Sendable {
        /// Functions of one device, without access control between them. Linux groups them whatever it probes first, and
        /// each keeps its own requester id.
        case functions
        /// Devices on one conventional bus, whose bridge puts its own requester id in the place of theirs. Linux groups them
        /// only if it probes the bridge first.
        case bridge

        var placeCount: Int { self == .functions ? 8 : 31 }
    }

    public struct PlacedFunction: Equatable, Sendable {
        public let function: RelayFunction
        public let address: PCIAddress
        /// Other requester ids that its DMA may come under, as endpoints: the relay takes them for the same endpoint.
        public let aliases: [UInt32]

        public var endpoint: UInt32 { address.endpoint }
    }

    /// A conventional bridge behind a root port.
    public struct Bridge: Equatable, Sendable {
        public let name: String
        public let address: PCIAddress
        public let secondaryBus: UInt8

        /// The guest's driver attaches it like any function, although it does no DMA of its own.
        public var endpoint: UInt32 { address.endpoint }
    }

    public struct RootPort: Equatable, Sendable {
        /// Its id in QEMU: what a device is unplugged from and plugged into.
        public let name: String
        public let address: PCIAddress
        public let secondaryBus: UInt8
        public let bridge: Bridge?
        /// The host group that they share; nil for a function of its own.
        public let hostGroup: Int?
        public let functions: [PlacedFunction]
        /// Which of the IOMMUs serves what is behind it.
        public let iommu: Int
    }

    /// A virtio-iommu function.
    public struct IOMMU: Equatable, Sendable {
        /// Its id in QEMU.
        public let name: String
        public let address: PCIAddress
    }

    public let iommus: [IOMMU]
    public let ports: [RootPort]

    public var functions: [PlacedFunction] { ports.flatMap(\.functions) }

    /// Functions of one device.
    static let iommuLimit = 8
    /// The last one that is free on every Q35.
    static let iommuPlace: UInt8 = 0x1e
    /// Root ports, eight to a place of bus 0: 01.0 … 06.7. What the guest has besides comes behind them.
    static let portCount = 48
    static let portPlaceCount: UInt8 = 6

    /// - Parameter slots: functions that go behind one port together, at most ``portCount`` of them, each with at most
    ///   `sharing.placeCount` functions. The IOMMUs get them in turn.
    init(slots: [(hostGroup: Int?, functions: [RelayFunction])], sharing: Sharing, firstPlace: UInt8, iommuCount: Int = 1) {
        precondition(slots.count <= Self.portCount && (1...Self.iommuLimit).contains(iommuCount))
        iommus = (0..<iommuCount).map {
            IOMMU(
                name: $0 == 0 ? "unic-iommu" : "unic-iommu\($0)",
                address: PCIAddress(bus: 0, place: Self.iommuPlace, function: UInt8($0)))
        }
        var bus: UInt8 = 0
        var ports: [RootPort] = []
        for (index, slot) in slots.enumerated() {
            precondition(slot.functions.count <= sharing.placeCount)
            bus += 1
            let secondary = bus
            let isBridged = slot.functions.count > 1 && sharing == .bridge
            if isBridged { bus += 1 }
            let alias = PCIAddress(bus: bus, place: 0)
            ports.append(
                RootPort(
                    name: "unic-port\(index)",
                    address: PCIAddress(bus: 0, place: firstPlace + UInt8(index / 8), function: UInt8(index % 8)),
                    secondaryBus: secondary,
                    bridge: isBridged
                        ? Bridge(name: "unic-bridge\(index)", address: PCIAddress(bus: secondary, place: 0), secondaryBus: bus) : nil,
                    hostGroup: slot.hostGroup,
                    functions: slot.functions.enumerated().map { number, function in
                        PlacedFunction(
                            function: function,
                            address: isBridged
                                ? PCIAddress(bus: bus, place: UInt8(number) + 1)
                                : PCIAddress(bus: bus, place: 0, function: UInt8(number)),
                            aliases: isBridged ? [alias.endpoint] : [])
                    }, iommu: index % iommuCount))
        }
        self.ports = ports
    }

    /// What the IOMMUs serve: an endpoint's id is its function's BDF. Root ports are left out. A bridge is in, with its alias:
    /// without them Linux finds no group to share. Each range has the node of its IOMMU as its output node, which is how Linux
    /// finds the one to ask (viot_parse_node() of drivers/acpi/viot.c).
    public var viot: VIOTTable {
        var ranges: [VIOTTable.Range] = []
        func add(_ first: UInt32, _ last: UInt32, _ port: RootPort) {
            ranges.append(VIOTTable.Range(first: UInt16(first), last: UInt16(last), firstEndpoint: first, iommu: port.iommu))
        }
        for port in ports {
            guard let first = port.functions.first, let last = port.functions.last else { continue }
            if let bridge = port.bridge { add(bridge.endpoint, bridge.endpoint, port) }
            add(first.aliases.first ?? first.endpoint, last.endpoint, port)
        }
        // Each port has a bus of its own, and the IOMMUs are on bus 0: nothing overlaps, and 48 ports fit.
        guard let table = try? VIOTTable(iommus: iommus.map { UInt16($0.address.endpoint) }, ranges: ranges) else {
            preconditionFailure("ranges overlap")
        }
        return table
    }
}

extension PCIAddress {
    /// On segment 0; places and functions are ours and in range.
    init(bus: UInt8, place: UInt8, function: UInt8 = 0) {
        guard let address = PCIAddress(bus: bus, device: place, function: function) else { preconditionFailure("no such place") }
        self = address
    }

    init(endpoint: UInt16) {
        self.init(bus: UInt8(endpoint >> 8), place: UInt8(endpoint >> 3 & 31), function: UInt8(endpoint & 7))
    }

    /// The function's BDF: its endpoint id on segment 0.
    public var endpoint: UInt32 { UInt32(bus) << 8 | UInt32(device) << 3 | UInt32(function) }
}
