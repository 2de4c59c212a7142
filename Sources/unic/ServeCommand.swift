import ArgumentParser
import Devices
import LinuxIO
import NicDriver

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Offer a NIC model over vfio-user to a driver in another process.",
        discussion: """
            By default the model polls for 50 µs after the last work, then sleeps and looks each millisecond while a queue
            is enabled, since a mapped doorbell wakes nobody.

            Example: unic serve --model e1000e --socket /tmp/nic0.sock --wire lab
            """)

    @Option(help: "The NIC model: e1000e (Intel 82574L).")
    var model = "e1000e"
    @Option(help: ArgumentHelp("The Unix socket to listen on.", valueName: "path"))
    var socket: String
    @Option(help: ArgumentHelp("The shared-memory wire that the model's cable leads to.", valueName: "name"))
    var wire: String
    @Option(help: ArgumentHelp("The model's MAC address; made up if not given.", valueName: "address"))
    var mac: String?
    @Flag(help: "Never sleep: lowest latency, one core busy.")
    var busyPoll = false
    @Flag(help: "Let the driver map no doorbell: each one is a message.")
    var trapDoorbells = false
    @OptionGroup var logging: LoggingOptions

    func validate() throws {
        if busyPoll && trapDoorbells { throw ValidationError("--busy-poll and --trap-doorbells exclude each other: a trapped doorbell arrives as a message.") }
        if let mac, DeviceURL.stationAddress(mac) == nil { throw ValidationError("'\(mac)' is no unicast MAC address. Write it like --mac 02:00:00:00:00:01.") }
        // The same rules as for the URLs that name the two.
        do {
            _ = try DeviceURL("soft:\(wire)?nic=\(model)")
            _ = try DeviceURL("vfio-user:\(socket)")
        } catch { throw ValidationError("\(error)") }
    }

    func run() throws {
        let stop = StopFlag()
        try ShutdownSignals.raise(stop)
        _ = logging.start()
        throw Ending.failed("serving a model is not part of this build.")
    }
}
