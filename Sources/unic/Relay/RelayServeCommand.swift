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
            When this process ends, QEMU loses its devices for good: `unic relay run` ends QEMU then, and says why.

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
        StandardStream.output.write(RelayStatus(relay, plan).text)
        if stop.isRaised { throw Ending.interrupted(stop) }
    }

    /// Serves until it is stopped, with the status beside the IOMMU's socket.
    private func serve(_ relay: Relay, _ plan: RelayPlan) throws(ServerError) {
        let facts = RelayStatus(relay, plan)
        var status: StatusSocket?
        var trace: LineSocket?
        var failure: ServerError?
        try relay.serve {
            do throws(ServerError) {
                status = try StatusSocket(beside: plan.iommuSocket) { Array((facts.document.text + "\n").utf8) }
                trace = try LineSocket(at: LineSocket.path(beside: plan.iommuSocket), source: relay.trace)
                let iommu = plan.options.viommu == .relay ? "an IOMMU and " : ""
                StandardStream.error.write(
                    "unic: \(iommu)\(plan.topology.functions.count) functions are served in \(plan.options.directory)\n")
            } catch {
                failure = error
                relay.control.stop()
            }
        }
        withExtendedLifetime((status, trace)) {}
        if let failure { throw failure }
    }
}
