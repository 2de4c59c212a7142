public import DeviceAccess
import HostBack
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
        /// How long another server may take to answer, in milliseconds; then its device is given up.
        public var servedMilliseconds: UInt64 = 2000
        /// For a log; called on the relay's thread.
        public var told: ((RelayNews) -> Void)?
        /// What is started to quiet the host's functions if this process is killed; nil: nothing. Not started without functions of
        /// the host.
        public var guardian: RelayGuardian?

        public init() {}
    }

    /// In the order of the plan; with an IOMMU of QEMU's one, which stands for that.
    public let iommus: [RelayedIOMMU]
    private let loop: ServerLoop
    private let guardian: GuardianLink?
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
        // Before anything is opened.
        guardian = try plan.hostGroups.isEmpty ? nil : options.guardian?.start()
        let interfaces = RelayedHostInterfaces(guardian: guardian)
        var made: [RelayedIOMMU] = []
        for index in plan.topology.iommus.indices {
            made.append(try RelayedIOMMU(index, of: plan, devices: devices, interfaces, options: options))
        }
        do throws(SystemCallError) {
            loop = try ServerLoop(made.flatMap(\.servers), options: options.server)
            try guardian?.watch { [lost = options.guardian?.lost, published = made.map(\.published)] in
                for one in published { one.add(trouble: RelayGuardian.lossText) }
                lost?(RelayGuardian.lossText)
            }
        } catch {
            throw RelayedIOMMU.failed(plan.iommuSocket, error)
        }
        for iommu in made { iommu.serveOthersBetweenPieces(loop) }
        iommus = made
        let controls = made.flatMap(\.functionControls)
        functionControls = plan.topology.functions.compactMap { placed in controls.first { $0.name == placed.function.name } }
    }

    /// Serves until ``control`` is told to stop.
    /// - Parameter ready: called once QEMU can connect to all sockets.
    public func serve(ready: () -> Void = {}) throws(ServerError) {
        // Last: functions are reset before.
        defer { guardian?.end() }
        let apart = iommus.flatMap(\.apart)
        defer { for server in apart { server.stop() } }
        for server in apart { try server.start() }
        do throws(SystemCallError) { try guardian?.addThisThread() } catch { throw .systemCall(error) }
        try loop.serve(ready: ready)
    }
}
