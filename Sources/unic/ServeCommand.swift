import ArgumentParser
import DeviceAccess
import Devices
import LinuxIO
import Logging
import NicDriver
import VfioUser

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Offer a NIC model over vfio-user to a driver in another process.",
        discussion: """
            By default the model polls for 50 µs after the last work, then sleeps and looks each millisecond while a queue
            is enabled, since a mapped doorbell wakes nobody. `unic status` shows what it has done.

            Example: unic serve --model e1000e --socket /tmp/nic0.sock --wire lab
                     unic serve --model virtio-net --queues 4 --packed --socket /tmp/nic1.sock --wire lab
                     unic serve --socket /tmp/nic2.sock --wire tap:unic0
                     unic serve --socket /tmp/nic3.sock --wire udp:192.0.2.1:4789,192.0.2.2:4789
                     unic serve --socket /tmp/nic4.sock --wire udp:[2001:db8::1]:4789,[2001:db8::2]:4789
            """)

    @Option(help: "The NIC model: e1000e (Intel 82574L), igbvf (a virtual function of the Intel 82576), virtio-net.")
    var model = "e1000e"
    @Option(help: ArgumentHelp("The Unix socket to listen on.", valueName: "path"))
    var socket: String
    @Option(
        help: ArgumentHelp(
            "Where the model's cable leads: a name, for shared memory; tap:INTERFACE, for this machine's kernel; udp:LOCAL:PORT,PEER:PORT, for another machine.",
            valueName: "wire"))
    var wire: String
    @Option(help: ArgumentHelp("The model's MAC address; made up if not given.", valueName: "address"))
    var mac: String?
    @Option(help: ArgumentHelp("Queue pairs of a virtio-net model, 1 to 8.", valueName: "number"))
    var queues: Int?
    @Flag(help: "A virtio-net model offers packed rings.")
    var packed = false
    @Option(help: ArgumentHelp("MTU of a virtio-net model; Linux takes it for its interface.", valueName: "bytes"))
    var mtu: Int?
    @Flag(help: "A function without MSI-X: drivers take MSI or INTx. QEMU 11.1 ends itself when a device with MSI-X is unplugged.")
    var noMsix = false
    @Flag(help: "Never sleep: lowest latency, one core busy.")
    var busyPoll = false
    @Flag(help: "Let the driver map no doorbell: each one is a message.")
    var trapDoorbells = false
    @OptionGroup var logging: LoggingOptions

    func validate() throws {
        if busyPoll && trapDoorbells {
            throw ValidationError("--busy-poll and --trap-doorbells exclude each other: a trapped doorbell arrives as a message.")
        }
        if let mac, DeviceURL.stationAddress(mac) == nil {
            throw ValidationError("'\(mac)' is no unicast MAC address. Write it like --mac 02:00:00:00:00:01.")
        }
        // The same rules as for the URLs that name the two.
        do {
            _ = try modelURL
            _ = try DeviceURL("vfio-user:\(socket)")
        } catch { throw ValidationError("\(error)") }
    }

    private var modelURL: DeviceURL {
        get throws(DeviceError) {
            var text = "soft:\(wire)?nic=\(model)"
            if let mac { text += "&mac=\(mac)" }
            if let queues { text += "&queues=\(queues)" }
            if packed { text += "&packed=on" }
            if let mtu { text += "&mtu=\(mtu)" }
            if noMsix { text += "&msix=off" }
            return try DeviceURL(text)
        }
    }

    func run() throws {
        let stop = StopFlag()
        let started = StartedServer()
        try ShutdownSignals.raise(stop) { started.stop() }
        let logger = logging.start()
        do {
            var options = ServerOptions()
            options.busyPoll = busyPoll
            options.trapDoorbells = trapDoorbells
            let server = try ModelServer(model: try modelURL, socketPath: socket, options: options)
            started.control = server.control
            // A signal that came before there was a server to stop.
            if stop.isRaised { server.control.stop() }
            try serve(server)
            tell(server.control.statistics)
            logger.info("the server has ended")
        } catch { throw Ending.failed("\(error)") }
        if stop.isRaised { throw Ending.interrupted(stop) }
    }

    /// Serves until it is stopped, with the status beside it.
    private func serve(_ server: ModelServer) throws(ServerError) {
        let waiting = busyPoll ? "busy-poll" : trapDoorbells ? "trap-doorbells" : "poll-then-sleep"
        let facts = ServedStatus(model: model, macAddress: server.macAddress, wire: wire, socket: socket, waiting: waiting)
        let control = server.control
        var status: StatusSocket?
        var failure: ServerError?
        try server.serve {
            do throws(ServerError) {
                status = try StatusSocket(beside: socket) { facts.document(control.statistics) }
                StandardStream.error.write("unic: \(model) \(server.macAddress) on wire \(wire) is served at vfio-user:\(socket)\n")
            } catch {
                failure = error
                control.stop()
            }
        }
        withExtendedLifetime(status) {}
        if let failure { throw failure }
    }

    private func tell(_ statistics: ServerStatistics) {
        var text = "connections: \(statistics.connections)\nmessages: \(statistics.messages)\ninterrupts: \(statistics.interrupts)\n"
        text += "failed commands: \(statistics.failedCommands)\nbroken connections: \(statistics.brokenConnections)\n"
        for (command, count) in statistics.messagesByCommand.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            text += "\(command.name): \(count)\n"
        }
        if let fault = statistics.lastFault { text += "last fault: \(fault)\n" }
        StandardStream.output.write(text)
    }
}
