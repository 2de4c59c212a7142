import ArgumentParser
import Devices
import Echo
import LinuxIO
import Logging
import NicDriver
import Reports

struct EchoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo",
        abstract: "Answer ARP requests and pings for one IPv4 address.",
        discussion: """
            The other end can be any host: its kernel's `ping` measures through our driver.

            Example: unic echo --device vfio:0000:01:00.0 --ip 10.0.0.2 --mtu 9000
            """)

    @Option(help: ArgumentHelp("The NIC to use.", valueName: "url"))
    var device: String
    @Option(help: ArgumentHelp("The IPv4 address to answer for.", valueName: "a.b.c.d"))
    var ip: String
    @Option(help: ArgumentHelp("A second MAC address to answer under, instead of the NIC's own.", valueName: "address"))
    var mac: String?
    @Option(help: "End after so many echo replies.")
    var count: Int?
    @Option(help: ArgumentHelp("Largest IP packet in bytes, up to 9000.", valueName: "bytes"))
    var mtu = 1500
    @OptionGroup var memory: MemoryOptions
    @OptionGroup var backend: BackendOptions
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var reconnecting: ReconnectOptions
    @Flag(help: "Write one JSON object to standard output at the end.")
    var json = false
    @OptionGroup var logging: LoggingOptions

    func validate() throws {
        guard IPv4Address(ip) != nil else { throw ValidationError("'\(ip)' is no IPv4 address. Write it like --ip 10.0.0.2.") }
        guard (576...9000).contains(mtu) else { throw ValidationError("An MTU of \(mtu) is not possible. It goes from 576 to 9000 bytes.") }
        if let mac, DeviceURL.stationAddress(mac) == nil {
            throw ValidationError("'\(mac)' is no unicast MAC address. Write it like --mac 02:00:00:00:00:01.")
        }
        if let count, count < 1 { throw ValidationError("The count must be at least 1.") }
    }

    func run() throws {
        let stop = StopFlag()
        try ShutdownSignals.raise(stop)
        let logger = logging.start()
        var counters = Echo.Counters()
        do {
            let port = try openPort(logger)
            let address = mac.flatMap(DeviceURL.stationAddress) ?? port.macAddress
            if address != port.macAddress {
                var filter = ReceiveFilter()
                filter.unicast = [address]
                try port.setFilter(filter)
            }
            guard let ip = IPv4Address(ip) else { return }
            var options = Echo.Options(address: ip, mac: address)
            options.count = count
            options.usesInterrupts = waiting.mode.usesInterrupts
            options.recovery = reconnecting.recovery
            StandardStream.error.write("unic: \(ip) is at \(address) on \(port.url).\n")
            do { try Echo.run(port, options, stop: stop, counters: &counters) } catch {
                tell(counters)
                throw error
            }
            logger.info("stopping \(port.url)")
            try port.stop()
        } catch { throw Ending.failed("\(error)") }
        tell(counters)
        if stop.isRaised { throw Ending.interrupted(stop) }
    }

    private func openPort(_ logger: Logger) throws(PortError) -> any Port {
        var options = PortOptions()
        options.maximumFrameByteCount = mtu + 14
        options.wait = waiting.mode
        options.publishesStatistics = true
        options.memory = memory.preference
        options.allowsNoIOMMU = backend.allowNoiommu
        return try Devices.open(
            device, options: options, memoryNotice: { StandardStream.error.write("unic: packet memory: \($0)\n") },
            backendNotice: { logger.tell($0) })
    }

    private func tell(_ counters: Echo.Counters) {
        let rows: [(key: String, value: Int)] = [
            ("arp_replies", counters.arpReplies), ("echo_replies", counters.echoReplies), ("ignored", counters.ignored),
            ("malformed", counters.malformed), ("unsent", counters.unsent),
        ]
        if json {
            StandardStream.output.write(JSONValue.object(rows.map { ($0.key, .integer($0.value)) }).text + "\n")
        } else {
            StandardStream.output.write(rows.map { "\($0.key): \($0.value)\n" }.joined())
        }
    }
}
