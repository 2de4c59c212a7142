import DeviceAccess
import DeviceMemory
import DeviceModel
import HostBack
import IOMMURelay
import LinuxIO
import RelayPlan
import VfioUser

/// The functions behind one IOMMU of a relay: each gets a server, and is an endpoint.
struct RelayedFunctions {
    private let core: IOMMUCore
    private let devices: [String: DeviceURL]
    private let opened: [String: RelayedHostFunctions.Opened]
    private let served: RelayedServedFunctions
    private let options: Relay.Options
    /// Not nil: an IOMMU of QEMU's says on each function's connection what is mapped.
    private let turns: CoreTurns?
    /// For the relay's thread.
    private(set) var servers: [any ServedFunction] = []
    /// Of all, in the order of the plan.
    private(set) var controls: [(name: String, control: ServerControl)] = []

    /// - Parameters:
    ///   - devices: by the functions' names.
    ///   - opened: those of this machine.
    init(
        core: IOMMUCore, devices: [String: DeviceURL], opened: [String: RelayedHostFunctions.Opened],
        served: RelayedServedFunctions, options: Relay.Options, turns: CoreTurns?
    ) {
        self.core = core
        self.devices = devices
        self.opened = opened
        self.served = served
        self.options = options
        self.turns = turns
    }

    /// What is behind one root port: a function, or those of a host group.
    mutating func add(_ port: GuestTopology.RootPort, of plan: RelayPlan) throws(DeviceError) {
        let group = port.hostGroup.map { "host group \($0)" }
        if let bridge = port.bridge {
            try register(bridge.endpoint, group: group ?? bridge.name, SilentBack(), named: bridge.name)
        }
        for placed in port.functions {
            let name = placed.function.name
            let path = plan.socket(of: placed.function)
            if let (server, back) = try served.make(placed, at: path, core: core, options: options) {
                // It is served apart.
                try register(placed.endpoint, group: name, reserved: [ReservedWindow.interrupts].compactMap(\.self), back, named: name)
                controls.append((name, server.control))
                continue
            }
            let (server, back, reserved) = try make(placed, at: path)
            try register(placed.endpoint, aliases: placed.aliases, group: group ?? name, reserved: reserved, back, named: name)
            servers.append(server)
            controls.append((name, server.control))
        }
    }

    private typealias Made = (server: any ServedFunction, back: any EndpointBack, reserved: [ReservedWindow])

    private func make(_ placed: GuestTopology.PlacedFunction, at path: String) throws(DeviceError) -> Made {
        let name = placed.function.name
        if let host = opened[name] {
            return (
                try server(of: host, at: path, endpoint: placed.endpoint), host.back,
                ReservedWindow.windows(of: host.device.dmaLimits, in: core.configuration)
            )
        }
        guard let url = devices[name], url.scheme == .soft else {
            throw .notUsable(
                device: devices[name]?.description ?? name, group: nil,
                reason: "the plan has it as another kind of function", fix: "Report it with the plan.")
        }
        let host = RelayedModelHost(endpoint: placed.endpoint, core: core, path: path, options: options, turns: turns)
        let (server, back) = try url.makeModel(for: host, device: url.description).hosted
        return (server, back, [ReservedWindow.interrupts].compactMap(\.self))
    }

    /// A function of this machine, given on. With an IOMMU of ours its client's memory is seen by the IOMMU's connection, not here.
    private func server(
        of host: RelayedHostFunctions.Opened, at path: String, endpoint: UInt32
    ) throws(DeviceError) -> any ServedFunction {
        let function = try PassthroughFunction(host.device)
        let environment = function.environment
        do throws(SystemCallError) {
            let server = try VfioUserServer(
                model: function, environment: environment, clientMemory: turns == nil ? DMASpace() : host.guest, socketPath: path,
                options: options.server)
            server.memoryCarrier = turns.map { ConnectionDomain(endpoint: endpoint, turns: $0) }
            return server
        } catch {
            throw .systemCall(
                device: host.device.url, group: nil, cause: error, fix: "Free some memory, or raise the limit of open files (ulimit -n).")
        }
    }

    private func register(
        _ endpoint: UInt32, aliases: [UInt32] = [], group: String, reserved: [ReservedWindow] = [], _ back: any EndpointBack,
        named name: String
    ) throws(DeviceError) {
        do {
            try core.add(endpoint: endpoint, aliases: aliases, group: group, reserved: reserved, back: back)
        } catch {
            throw .notUsable(device: name, group: group, reason: "the IOMMU does not take it: \(error)", fix: "Report it with the plan.")
        }
    }
}

/// Puts a NIC model behind the IOMMU: its DMA goes where its domain says, its client's memory is seen by the IOMMU alone.
private struct RelayedModelHost: ModelHost {
    let endpoint: UInt32
    let core: IOMMUCore
    let path: String
    let options: Relay.Options
    let turns: CoreTurns?

    func makeDMASpace() -> DMASpace { DMASpace(maximumEntries: options.limits.mappings) }

    func host<Model: DeviceModel & ~Copyable>(
        _ model: consuming Model, in environment: DeviceEnvironment
    ) throws(SystemCallError) -> (server: any ServedFunction, back: any EndpointBack) {
        let guest = DMASpace()
        let back = ModelBack(endpoint: endpoint, space: environment.dma, guest: guest, source: core)
        back.faulted = { [weak core] fault in core?.report(fault) }
        let server = try VfioUserServer(
            model: model, environment: environment, clientMemory: guest, socketPath: path, options: options.server)
        if let turns {
            server.memoryCarrier = ConnectionDomain(endpoint: endpoint, turns: turns)
        } else {
            server.clientMemoryChanged = { back.guestMemoryChanged() }
        }
        return (server, back)
    }
}
