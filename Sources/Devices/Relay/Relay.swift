import DeviceAccess
import DeviceMemory
import DeviceModel
import HostBack
public import IOMMURelay
import LinuxIO
public import RelayPlan
public import VfioUser

/// A guest's IOMMU, and the functions behind it, served to one QEMU by one thread: so that no model is in the middle of a
/// transfer when an unmap is answered.
public final class Relay {
    public struct Options {
        /// How the thread waits. A guest's driver spins until a request is answered, and between two requests of one call it pins up
        /// to a hugepage: a thread that slept in between would have to be woken, by a message, for each.
        public var server = {
            var options = ServerOptions()
            options.pollMicroseconds = 20
            options.maximumPollMicroseconds = 250
            options.yieldsWhilePolling = false
            return options
        }()
        public var limits = RelayLimits()
        /// Whether functions reach all of the guest's memory while the guest's IOMMU driver has attached them to nothing: for
        /// firmware that boots from a NIC.
        public var bypassesUnattached = false

        /// nil: an UNMAP is answered when no DMA reaches the memory any more.
        public var lazyUnmap: LazyUnmap?
        /// How many requests of the guest are looked at in a second; nil: as many as come.
        public var requestsASecond: UInt64?
        /// For a log; called on the relay's thread.
        public var told: ((RelayNews) -> Void)?

        public init() {}
    }

    private let core: IOMMUCore
    private let observer: RelayObserver
    /// What is asked and answered, while somebody listens.
    public let trace = RelayTrace()
    private let functions: [any ServedFunction]
    private let loop: ServerLoop
    /// For other threads: ending it, and what the IOMMU function's connection has done.
    public let control: ServerControl
    /// Of the connections of the functions behind the IOMMU, in the order of the plan.
    public let functionControls: [(name: String, control: ServerControl)]
    /// What the IOMMU holds and has done, as of the last time that the thread had nothing to do.
    public let published: PublishedRelay

    /// - Parameters:
    ///   - plan: where everything is.
    ///   - devices: of each of the plan's functions, by its name.
    public init(_ plan: RelayPlan, devices: [String: DeviceURL], options: Options = Options()) throws(DeviceError) {
        let environment: DeviceEnvironment
        do throws(SystemCallError) { environment = try DeviceEnvironment(for: VirtioIOMMUFunction.functionDescription()) } catch {
            throw Self.failed(plan.iommuSocket, error)
        }
        // The IOMMU's own connection shows the guest's memory.
        let hosts = RelayedHostFunctions(guest: environment.dma)
        let opened = try Self.openHostFunctions(plan, devices, hosts)
        let core = IOMMUCore(
            configuration: hosts.limits.isEmpty ? IOMMUConfiguration() : IOMMUConfiguration(limits: hosts.limits), limits: options.limits,
            bypassesUnattached: options.bypassesUnattached, lazyUnmap: options.lazyUnmap)
        observer = RelayObserver(trace, told: options.told)
        core.clock = MonotonicClock.nanoseconds
        core.observer = observer
        let published = PublishedRelay(core)
        self.published = published
        var functions: [any ServedFunction] = []
        var controls: [(name: String, control: ServerControl)] = []
        for port in plan.topology.ports {
            let group = port.hostGroup.map { "host group \($0)" }
            if let bridge = port.bridge {
                try Self.register(bridge.endpoint, group: group ?? bridge.name, in: core, SilentBack(), named: bridge.name)
            }
            for placed in port.functions {
                let name = placed.function.name
                let path = plan.socket(of: placed.function)
                let url = try Self.url(of: name, devices)
                let server: any ServedFunction
                let back: any EndpointBack
                var reserved = [ReservedWindow.x86MSI]
                if let host = opened[name] {
                    (server, back) = (try Self.server(of: host.device, at: path, options), host.back)
                    reserved = ReservedWindow.windows(of: host.device.dmaLimits, in: core.configuration)
                } else {
                    let host = RelayedModelHost(endpoint: placed.endpoint, core: core, path: path, options: options)
                    (server, back) = try url.makeModel(for: host, device: url.description).hosted
                }
                try Self.register(
                    placed.endpoint, aliases: placed.aliases, group: group ?? name, reserved: reserved, in: core, back,
                    named: url.description)
                functions.append(server)
                controls.append((name, server.control))
            }
        }
        do throws(SystemCallError) {
            let model = try VirtioIOMMUFunction(
                handler: core, environment: environment, offersIndirect: false, requestsASecond: options.requestsASecond,
                troubled: { trouble in
                    published.add(trouble: trouble.description)
                    options.told?(.troubled(trouble.description))
                })
            let server = try VfioUserServer(
                model: model, environment: environment, socketPath: plan.iommuSocket, options: options.server)
            control = server.control
            server.publishing = { published.update() }
            server.clientMemoryChanged = { hosts.guestMemoryChanged() }
            self.functions = [server] + functions
            loop = try ServerLoop(self.functions, options: options.server)
        } catch { throw Self.failed(plan.iommuSocket, error) }
        self.core = core
        functionControls = controls
    }

    /// Before the IOMMU is made: what the host can do is told to the guest in advance.
    private static func openHostFunctions(
        _ plan: RelayPlan, _ devices: [String: DeviceURL], _ hosts: RelayedHostFunctions
    ) throws(DeviceError) -> [String: RelayedHostFunctions.Opened] {
        var opened: [String: RelayedHostFunctions.Opened] = [:]
        for port in plan.topology.ports {
            for placed in port.functions {
                let url = try url(of: placed.function.name, devices)
                guard url.scheme == .vfio, let group = port.hostGroup else { continue }
                opened[placed.function.name] = try hosts.open(url, group: group)
            }
        }
        return opened
    }

    private static func url(of name: String, _ devices: [String: DeviceURL]) throws(DeviceError) -> DeviceURL {
        guard let url = devices[name], url.scheme != .vfioUser else {
            throw .notUsable(
                device: devices[name]?.description ?? name, group: nil,
                reason: "the relay has models and functions of this machine behind its IOMMU, not other servers yet",
                fix: "Give a soft: or a vfio: URL, for example soft:lab?nic=e1000e.")
        }
        return url
    }

    /// A function of this machine, given on: its client's memory is seen by the IOMMU's connection, not here.
    private static func server(
        of device: KernelVFIODevice, at path: String, _ options: Options
    ) throws(DeviceError) -> any ServedFunction {
        let function = try PassthroughFunction(device)
        let environment = function.environment
        do throws(SystemCallError) {
            return try VfioUserServer(
                model: function, environment: environment, clientMemory: DMASpace(), socketPath: path, options: options.server)
        } catch { throw failed(device.url, error) }
    }

    private static func failed(_ device: String, _ error: SystemCallError) -> DeviceError {
        .systemCall(device: device, group: nil, cause: error, fix: "Free some memory, or raise the limit of open files (ulimit -n).")
    }

    /// Serves until ``control`` is told to stop.
    /// - Parameter ready: called once QEMU can connect to all sockets.
    public func serve(ready: () -> Void = {}) throws(ServerError) { try loop.serve(ready: ready) }

    private static func register(
        _ endpoint: UInt32, aliases: [UInt32] = [], group: String, reserved: [ReservedWindow] = [.x86MSI], in core: IOMMUCore,
        _ back: any EndpointBack, named name: String
    ) throws(DeviceError) {
        do {
            try core.add(endpoint: endpoint, aliases: aliases, group: group, reserved: reserved, back: back)
        } catch {
            throw .notUsable(device: name, group: group, reason: "the IOMMU does not take it: \(error)", fix: "Report it with the plan.")
        }
    }
}

extension ReservedWindow {
    /// Where message-signaled interrupts of a PC go (Intel SDM volume 3, §11.11.1: 0xfee00000 to 0xfeefffff).
    fileprivate static var x86MSI: ReservedWindow {
        guard let range = IOVARange(first: 0xfee0_0000, last: 0xfeef_ffff) else { preconditionFailure("a constant range") }
        return ReservedWindow(.msi, range)
    }
}

/// Puts a NIC model behind the IOMMU: its DMA goes where its domain says, its client's memory is seen by the IOMMU alone.
private struct RelayedModelHost: ModelHost {
    let endpoint: UInt32
    let core: IOMMUCore
    let path: String
    let options: Relay.Options

    func makeDMASpace() -> DMASpace { DMASpace(maximumEntries: options.limits.mappings) }

    func host<Model: DeviceModel & ~Copyable>(
        _ model: consuming Model, in environment: DeviceEnvironment
    ) throws(SystemCallError) -> (server: any ServedFunction, back: any EndpointBack) {
        let guest = DMASpace()
        let back = ModelBack(endpoint: endpoint, space: environment.dma, guest: guest, source: core)
        back.faulted = { [weak core] fault in core?.report(fault) }
        let server = try VfioUserServer(
            model: model, environment: environment, clientMemory: guest, socketPath: path, options: options.server)
        server.clientMemoryChanged = { back.guestMemoryChanged() }
        return (server, back)
    }
}
