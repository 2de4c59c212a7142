import DeviceAccess
import DeviceModel
import HostBack
import IOMMURelay
import LinuxIO
public import RelayPlan
public import VfioUser

/// One of a guest's IOMMUs: its function, what is behind it, and the host's address spaces for it. It shares its relay's thread
/// with the others, and nothing else. If QEMU plays the IOMMU there is one, without a function: it has what is behind QEMU's.
public final class RelayedIOMMU {
    /// Its place in the plan.
    public let placed: GuestTopology.IOMMU
    /// What the IOMMU function's connection has done.
    public let control: ServerControl
    /// What is asked and answered, while somebody listens.
    public let trace = RelayTrace()
    /// What the IOMMU holds and has done, as of the last time that the thread had nothing to do.
    public let published: PublishedRelay
    /// What the relay's thread serves of it.
    let servers: [any ServedFunction]
    /// What other servers have, each on a thread of its own.
    let apart: [ApartServer]
    /// Of the connections of what is behind it, in the order of the plan.
    let functionControls: [(name: String, control: ServerControl)]
    private let core: IOMMUCore
    private let observer: RelayObserver
    private let hosts: RelayedHostFunctions
    private let isEmulators: Bool

    /// - Parameter interfaces: the relay's, for all of its IOMMUs.
    init(
        _ index: Int, of plan: RelayPlan, devices: [String: DeviceURL], _ interfaces: RelayedHostInterfaces, options: Relay.Options
    ) throws(DeviceError) {
        placed = plan.topology.iommus[index]
        isEmulators = plan.options.viommu != .relay
        let socket = plan.socket(of: placed)
        let environment: DeviceEnvironment
        do throws(SystemCallError) { environment = try DeviceEnvironment(for: VirtioIOMMUFunction.functionDescription()) } catch {
            throw Self.failed(socket, error)
        }
        // The IOMMU's own connection shows the guest's memory; without it each function's shows what its device may reach.
        hosts = RelayedHostFunctions(guest: isEmulators ? nil : environment.dma, interfaces)
        let ports = plan.topology.ports.filter { $0.iommu == index }
        let opened = try Self.openHostFunctions(ports, devices, hosts)
        let served = RelayedServedFunctions(guest: environment.dma)
        try served.open(ports.flatMap(\.functions), devices, viommu: plan.options.viommu, options: options)
        let known = hosts.limits + served.limits
        core = IOMMUCore(
            configuration: known.isEmpty ? IOMMUConfiguration() : IOMMUConfiguration(limits: known), limits: options.limits,
            bypassesUnattached: options.bypassesUnattached, lazyUnmap: options.lazyUnmap)
        observer = RelayObserver(trace, told: options.told)
        core.clock = MonotonicClock.nanoseconds
        core.observer = observer
        published = PublishedRelay(core)
        var behind = RelayedFunctions(
            core: core, devices: devices, opened: opened, served: served, options: options, turns: isEmulators ? CoreTurns(core) : nil)
        for port in ports { try behind.add(port, of: plan) }
        let front: any ServedFunction
        do throws(SystemCallError) {
            front =
                isEmulators
                ? RelayPublisher(published, try ServerControl())
                : try Self.server(core, environment, at: socket, published, hosts, served, options: options)
        } catch { throw Self.failed(socket, error) }
        control = front.control
        servers = [front] + behind.servers + served.watches
        apart = served.apart
        functionControls = behind.controls
    }

    /// The IOMMU function's.
    private static func server(
        _ core: IOMMUCore, _ environment: DeviceEnvironment, at socket: String, _ published: PublishedRelay,
        _ hosts: RelayedHostFunctions, _ served: RelayedServedFunctions, options: Relay.Options
    ) throws(SystemCallError) -> any ServedFunction {
        let model = try VirtioIOMMUFunction(
            handler: core, environment: environment, offersIndirect: false, requestsASecond: options.requestsASecond,
            troubled: { trouble in
                published.add(trouble: trouble.description)
                options.told?(.troubled(trouble.description))
            })
        var serverOptions = options.server
        serverOptions.keepsMemoryFiles = !served.isEmpty
        let server = try VfioUserServer(model: model, environment: environment, socketPath: socket, options: serverOptions)
        server.publishing = { published.update() }
        server.clientMemoryChanged = {
            hosts.guestMemoryChanged()
            served.guestMemoryChanged()
        }
        return server
    }

    /// What has to be done in one call of the host's gives way to the others of a loop. Not behind an IOMMU of QEMU's, where the
    /// others ask the same core: what takes long there goes in steps.
    func serveOthersBetweenPieces(_ loop: ServerLoop) {
        guard !isEmulators else { return }
        hosts.betweenPieces = { [weak loop] in loop?.serveOthers() }
    }

    /// Before the IOMMU is made: what the host can do is told to the guest in advance.
    private static func openHostFunctions(
        _ ports: [GuestTopology.RootPort], _ devices: [String: DeviceURL], _ hosts: RelayedHostFunctions
    ) throws(DeviceError) -> [String: RelayedHostFunctions.Opened] {
        var opened: [String: RelayedHostFunctions.Opened] = [:]
        for port in ports {
            for placed in port.functions {
                guard let group = port.hostGroup, let url = devices[placed.function.name], url.scheme == .vfio else { continue }
                opened[placed.function.name] = try hosts.open(url, group: group)
            }
        }
        return opened
    }

    static func failed(_ device: String, _ error: SystemCallError) -> DeviceError {
        .systemCall(device: device, group: nil, cause: error, fix: "Free some memory, or raise the limit of open files (ulimit -n).")
    }
}
