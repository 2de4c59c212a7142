public import DeviceAccess
public import IOMMURelay
import LinuxIO
public import RelayPlan
public import VfioUser

/// A guest's IOMMUs, and the functions behind them, served to one QEMU by one thread: so that no model is in the middle of a
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

    /// In the order of the plan.
    public let iommus: [RelayedIOMMU]
    private let loop: ServerLoop
    /// For other threads: ending it.
    public var control: ServerControl { iommus[0].control }
    /// Of the connections of the functions behind the IOMMUs, in the order of the plan.
    public let functionControls: [(name: String, control: ServerControl)]
    /// Of the first IOMMU.
    public var published: PublishedRelay { iommus[0].published }
    /// Of the first IOMMU.
    public var trace: RelayTrace { iommus[0].trace }

    /// - Parameters:
    ///   - plan: where everything is.
    ///   - devices: of each of the plan's functions, by its name.
    public init(_ plan: RelayPlan, devices: [String: DeviceURL], options: Options = Options()) throws(DeviceError) {
        var made: [RelayedIOMMU] = []
        for index in plan.topology.iommus.indices { made.append(try RelayedIOMMU(index, of: plan, devices: devices, options: options)) }
        let functions = made.flatMap { iommu in [iommu.server] + iommu.functions.map(\.server) }
        do throws(SystemCallError) { loop = try ServerLoop(functions, options: options.server) } catch {
            throw RelayedIOMMU.failed(plan.iommuSocket, error)
        }
        for iommu in made { iommu.serveOthersBetweenPieces(loop) }
        iommus = made
        let controls = made.flatMap { $0.functions.map { ($0.name, $0.server.control) } }
        functionControls = plan.topology.functions.compactMap { placed in controls.first { $0.0 == placed.function.name } }
    }

    /// Serves until ``control`` is told to stop.
    /// - Parameter ready: called once QEMU can connect to all sockets.
    public func serve(ready: () -> Void = {}) throws(ServerError) { try loop.serve(ready: ready) }
}
