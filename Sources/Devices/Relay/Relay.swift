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
        /// How long another server may take to answer, in milliseconds; then its device is given up.
        public var servedMilliseconds: UInt64 = 2000
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
    /// What other servers have, each on a thread of its own.
    private let apart: [ApartServer]
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
        let isServed = plan.options.viommu == .relay
        // The IOMMU's own connection shows the guest's memory; without it each function's shows what its device may reach.
        let hosts = RelayedHostFunctions(guest: isServed ? environment.dma : nil)
        let opened = try Self.openHostFunctions(plan, devices, hosts)
        let served = RelayedServedFunctions(guest: environment.dma)
        try served.open(plan, devices, options: options)
        let known = hosts.limits + served.limits
        let core = IOMMUCore(
            configuration: known.isEmpty ? IOMMUConfiguration() : IOMMUConfiguration(limits: known), limits: options.limits,
            bypassesUnattached: options.bypassesUnattached, lazyUnmap: options.lazyUnmap)
        observer = RelayObserver(trace, told: options.told)
        core.clock = MonotonicClock.nanoseconds
        core.observer = observer
        let published = PublishedRelay(core)
        self.published = published
        var behind = RelayedFunctions(
            core: core, devices: devices, opened: opened, served: served, options: options, turns: isServed ? nil : CoreTurns(core))
        for port in plan.topology.ports { try behind.add(port, of: plan) }
        do throws(SystemCallError) {
            guard isServed else {
                functions = [RelayPublisher(published, try ServerControl())] + behind.servers
                control = functions[0].control
                loop = try ServerLoop(functions, options: options.server)
                self.core = core
                functionControls = behind.controls
                apart = []
                return
            }
            let model = try VirtioIOMMUFunction(
                handler: core, environment: environment, offersIndirect: false, requestsASecond: options.requestsASecond,
                troubled: { trouble in
                    published.add(trouble: trouble.description)
                    options.told?(.troubled(trouble.description))
                })
            var serverOptions = options.server
            serverOptions.keepsMemoryFiles = !served.isEmpty
            let server = try VfioUserServer(
                model: model, environment: environment, socketPath: plan.iommuSocket, options: serverOptions)
            control = server.control
            server.publishing = { published.update() }
            server.clientMemoryChanged = {
                hosts.guestMemoryChanged()
                served.guestMemoryChanged()
            }
            functions = [server] + behind.servers + served.watches
            loop = try ServerLoop(functions, options: options.server)
        } catch { throw Self.failed(plan.iommuSocket, error) }
        self.core = core
        functionControls = behind.controls
        apart = served.apart
    }

    /// Before the IOMMU is made: what the host can do is told to the guest in advance.
    private static func openHostFunctions(
        _ plan: RelayPlan, _ devices: [String: DeviceURL], _ hosts: RelayedHostFunctions
    ) throws(DeviceError) -> [String: RelayedHostFunctions.Opened] {
        var opened: [String: RelayedHostFunctions.Opened] = [:]
        for port in plan.topology.ports {
            for placed in port.functions {
                guard let group = port.hostGroup, let url = devices[placed.function.name], url.scheme == .vfio else { continue }
                opened[placed.function.name] = try hosts.open(url, group: group)
            }
        }
        return opened
    }

    private static func failed(_ device: String, _ error: SystemCallError) -> DeviceError {
        .systemCall(device: device, group: nil, cause: error, fix: "Free some memory, or raise the limit of open files (ulimit -n).")
    }

    /// Serves until ``control`` is told to stop.
    /// - Parameter ready: called once QEMU can connect to all sockets.
    public func serve(ready: () -> Void = {}) throws(ServerError) {
        defer { for server in apart { server.stop() } }
        for server in apart { try server.start() }
        try loop.serve(ready: ready)
    }
}
