import DeviceAccess
import DeviceMemory
import HostBack
import IOMMURelay
import LinuxIO
import RelayPlan
import VfioUser

/// Devices of other vfio-user servers that a relay gives on, and what carries the guest's mappings to those servers.
final class RelayedServedFunctions {
    /// The guest's memory by its own addresses; its files are kept.
    private let guest: DMASpace
    /// By the functions' names.
    private var devices: [String: VfioUserDevice] = [:]
    private var backs: [ServedBack] = []
    /// What notices their ends, in the relay's loop.
    private(set) var watches: [any ServedFunction] = []
    /// Each on a thread of its own.
    private(set) var apart: [ApartServer] = []

    init(guest: DMASpace) { self.guest = guest }

    var isEmpty: Bool { devices.isEmpty }
    var limits: [DMALimits] { devices.values.map(\.dmaLimits) }

    /// - Parameter viommu: who plays the guest's IOMMU.
    func open(
        _ functions: [GuestTopology.PlacedFunction], _ urls: [String: DeviceURL], viommu: GuestIOMMU, options: Relay.Options
    ) throws(DeviceError) {
        for placed in functions {
            guard let url = urls[placed.function.name], url.scheme == .vfioUser else { continue }
            guard viommu == .relay else {
                throw .notUsable(
                    device: url.description, group: nil, reason: "with an IOMMU of QEMU's nothing is left to do for a relay",
                    fix: "Let QEMU connect to that server itself, or leave --viommu out.")
            }
            devices[placed.function.name] = try VfioUserDevice(
                url: url.description, socketPath: url.location, timeoutMilliseconds: options.servedMilliseconds, acceptsHostDevices: true)
        }
    }

    /// A function's server and back; nil: it is of another kind.
    func make(
        _ placed: GuestTopology.PlacedFunction, at path: String, core: IOMMUCore, options: Relay.Options
    ) throws(DeviceError) -> (server: any ServedFunction, back: any EndpointBack)? {
        guard let device = devices[placed.function.name] else { return nil }
        let function = try PassthroughFunction(device)
        let environment = function.environment
        do throws(SystemCallError) {
            // The IOMMU's connection shows the guest's memory, not this one.
            let server = try VfioUserServer(
                model: function, environment: environment, clientMemory: DMASpace(), socketPath: path, options: options.server)
            let notice = try ServedWatch.Notice()
            let control = server.control
            let back = try ServedBack(server: ServedDevice(device), guest: guest) { reason in
                // QEMU sees its connection end: the device is gone.
                control.stop()
                notice.leave(reason)
            }
            backs.append(back)
            watches.append(try ServedWatch(endpoint: placed.endpoint, core: core, notice: notice))
            // It waits for others: to spin beside the relay's thread helps nobody.
            var waiting = options.server
            waiting.busyPoll = false
            apart.append(try ApartServer(server, options: waiting))
            return (server, back)
        } catch {
            throw .systemCall(
                device: device.url, group: nil, cause: error, fix: "Free some memory, or raise the limit of open files (ulimit -n).")
        }
    }

    /// The guest's memory became another; what went is still there until this returns.
    func guestMemoryChanged() { for back in backs { back.guestMemoryChanged() } }
}
