import ArgumentParser
import Devices
import LinuxIO
import NicDriver
import Traffic

struct ForwardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forward",
        abstract: "Move every frame from one port to another, both ways.",
        discussion: """
            A wire between two NICs: both receive everything, nothing is changed. Frames that the other port has no room
            for are dropped and counted.

            Example: unic forward --device soft:left --device soft:right --seconds 1
            """)

    @Option(help: ArgumentHelp("A NIC; give two.", valueName: "url"))
    var device: [String]
    @Option(help: ArgumentHelp("Longest frame on the wire, FCS included, 64 to 9018.", valueName: "bytes"))
    var size = 1518
    @OptionGroup var traffic: TrafficOptions

    func validate() throws {
        guard device.count == 2 else { throw ValidationError("Give two --device: frames go from each to the other.") }
        guard (64...9018).contains(size) else { throw ValidationError("A frame of \(size) bytes is not possible. It has 64 to 9018.") }
        if traffic.waiting.mode.usesInterrupts {
            throw ValidationError("A forwarder polls two ports: leave --interrupts and --spin out.")
        }
    }

    func run() throws {
        do {
            var filter = ReceiveFilter()
            filter.isPromiscuous = true
            var ports: [any Port] = []
            for url in device {
                let port = try traffic.openPort(url, maximumFrameByteCount: size - 4, usesInterrupts: false)
                try port.setFilter(filter)
                ports.append(port)
            }
            let workers = zip(ports[0].queuePairs, ports[1].queuePairs).map { (left, right) in
                Forwarder(left, right, longestByteCount: size - 4, limit: traffic.count.map { $0 / UInt64(traffic.queues) } ?? .max)
            }
            StandardStream.error.write("unic: forwarding between \(ports[0].url) and \(ports[1].url)\n")
            try traffic.run(ports, workers, "forward")
        } catch let error as PortError { throw Ending.failed("\(error)") }
    }
}
