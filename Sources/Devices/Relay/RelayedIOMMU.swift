import DeviceAccess
import DeviceModel
import HostBack
import IOMMURelay
import LinuxIO
public import RelayPlan
public import VfioUser

/// One of a guest's IOMMUs: its function, what is behind it, and the host's address spaces for it. It shares its relay's thread
/// with the others, and nothing else.
public final class RelayedIOMMU {
    /// Its place in the plan.
    public let placed: GuestTopology.IOMMU
    /// What the IOMMU function's connection has done.
    public let control: ServerControl
    /// What is asked and answered, while somebody listens.
    public let trace = RelayTrace()
    /// What the IOMMU holds and has done, as of the last time that the thread had nothing to do.
    public let published: PublishedRelay
    let server: any ServedFunction
    /// What is behind it, in the order of the plan.
    let functions: [(name: String, server: any ServedFunction)]
    private let core: IOMMUCore
    private let observer: RelayObserver
    private let hosts: RelayedHostFunctions

    init(_ index: Int, of plan: RelayPlan, devices: [String: DeviceURL], options: Relay.Options) throws(DeviceError) {
        placed = plan.topology.iommus[index]
        let socket = plan.socket(of: placed)
        let environment: DeviceEnvironment
        do throws(SystemCallError) { environment = try DeviceEnvironment(for: VirtioIOMMUFunction.functionDescription()) } catch {
            throw Self.failed(socket, error)
        }
        // The IOMMU's own connection shows the guest's memory.
        let hosts = RelayedHostFunctions(guest: environment.dma)
        let ports = plan.topology.ports.filter { $0.iommu == index }
        let opened = try Self.openHostFunctions(ports, devices, hosts)
        let core = IOMMUCore(
            configuration: hosts.limits.isEmpty ? IOMMUConfiguration() : IOMMUConfiguration(limits: hosts.limits), limits: options.limits,
            bypassesUnattached: options.bypassesUnattached, lazyUnmap: options.lazyUnmap)
        observer = RelayObserver(trace, told: options.told)
        core.clock = MonotonicClock.nanoseconds
        core.observer = observer
        let published = PublishedRelay(core)
        self.published = published
        var behind = RelayedFunctions(core: core, devices: devices, opened: opened, options: options)
        for port in ports { try behind.add(port, of: plan) }
        do throws(SystemCallError) {
            let model = try VirtioIOMMUFunction(
                handler: core, environment: environment, offersIndirect: false, requestsASecond: options.requestsASecond,
                troubled: { trouble in
                    published.add(trouble: trouble.description)
                    options.told?(.troubled(trouble.description))
                })
            let server = try VfioUserServer(model: model, environment: environment, socketPath: socket, options: options.server)
            control = server.control
            server.publishing = { published.update() }
            server.clientMemoryChanged = { hosts.guestMemoryChanged() }
            self.server = server
        } catch { throw Self.failed(socket, error) }
        self.core = core
        self.hosts = hosts
        functions = behind.servers
    }

    /// What has to be done in one call of the host's gives way to the others of a loop.
    func serveOthersBetweenPieces(_ loop: ServerLoop) {
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
