import ArgumentParser
import Devices
import LinuxIO
import NicDriver
import Traffic

struct CountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "count",
        abstract: "Receive frames and count them.",
        discussion: """
            Of frames that `unic generate` sent it says which are missing and which came late.

            Example: unic count --device soft:lab --queues 2 --seconds 1
            """)

    @Option(help: ArgumentHelp("The NIC to receive on.", valueName: "url"))
    var device: String
    @Flag(help: "Receive frames to every address.")
    var promiscuous = false
    @Option(help: ArgumentHelp("Longest frame on the wire, FCS included, 64 to 9018.", valueName: "bytes"))
    var size = 1518
    @OptionGroup var traffic: TrafficOptions

    func validate() throws {
        guard (64...9018).contains(size) else { throw ValidationError("A frame of \(size) bytes is not possible. It has 64 to 9018.") }
    }

    func run() throws {
        do {
            let port = try traffic.openPort(device, maximumFrameByteCount: size - 4, usesInterrupts: true)
            if promiscuous {
                var filter = ReceiveFilter()
                filter.isPromiscuous = true
                try port.setFilter(filter)
            }
            // One thread with several queues looks at all of them; a queue of its own may sleep.
            let sleeps = traffic.waiting.mode.usesInterrupts && (traffic.queues == 1 || !device.hasPrefix("soft:"))
            let workers = port.queuePairs.map { one in
                FrameCounter(one, limit: traffic.count ?? .max, waitMilliseconds: sleeps ? 100 : nil)
            }
            StandardStream.error.write("unic: counting on \(port.url), \(port.macAddress)\n")
            try traffic.run([port], workers, "count")
        } catch let error as PortError { throw Ending.failed("\(error)") }
    }
}
