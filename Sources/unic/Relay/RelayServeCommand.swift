import ArgumentParser
import Devices
import LinuxIO
import RelayPlan
import VfioUser

struct RelayServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve the IOMMU and its functions to a QEMU that is started elsewhere, with the arguments that the plan shows.",
        discussion: """
            When this process ends, QEMU loses its devices for good, and its guest stalls: `unic relay run` ends QEMU then, and
            says why. Functions of the host are quieted by a second process, the guardian, also if this one is killed.

            Example: unic relay serve --device soft:lab --device soft:lab --directory /tmp/unic-relay
            """)

    @OptionGroup var options: RelayOptions
    @OptionGroup var logging: LoggingOptions

    func run() throws {
        let stop = StopFlag()
        let started = StartedServer()
        try ShutdownSignals.raise(stop) { started.stop() }
        let logger = logging.start()
        let plan = try options.plan()
        try plan.writeTable()
        let relay = try options.relay(plan) { [log = RelayLog(logger)] in log.write($0) }
        started.control = relay.control
        if stop.isRaised { relay.control.stop() }
        do { try serve(relay, plan) } catch { throw Ending.failed("\(error)") }
        logger.info("the relay has ended")
        StandardStream.output.write(relay.iommus.map { RelayStatus($0, relay, plan).text }.joined())
        if stop.isRaised { throw Ending.interrupted(stop) }
    }

    /// Serves until it is stopped, with a status and a trace beside each IOMMU's socket.
    private func serve(_ relay: Relay, _ plan: RelayPlan) throws(ServerError) {
        var looks: [(StatusSocket, LineSocket)] = []
        var failure: ServerError?
        try relay.serve {
            do throws(ServerError) {
                for iommu in relay.iommus {
                    let (facts, path) = (RelayStatus(iommu, relay, plan), plan.socket(of: iommu.placed))
                    looks.append(
                        (
                            try StatusSocket(beside: path) { Array((facts.document.text + "\n").utf8) },
                            try LineSocket(at: LineSocket.path(beside: path), source: iommu.trace)
                        ))
                }
                let count = relay.iommus.count == 1 ? "an IOMMU and " : "\(relay.iommus.count) IOMMUs and "
                let iommus = plan.options.viommu == .relay ? count : ""
                StandardStream.error.write(
                    "unic: \(iommus)\(plan.topology.functions.count) functions are served in \(plan.options.directory)\n")
            } catch {
                failure = error
                relay.control.stop()
            }
        }
        withExtendedLifetime(looks) {}
        if let failure { throw failure }
    }
}
