import ArgumentParser
import Devices
import LinuxIO
import NicDriver
import Traffic

struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Send frames as fast as a port takes them, or at a rate.",
        discussion: """
            Frames are Ethernet, IPv4 and UDP with a number inside, so that `unic count` at the other end tells which are
            missing. Flows differ in their source address and port: a receiver spreads them over its queues.

            Example: unic generate --device soft:lab --size 64 --seconds 1
            """)

    @Option(help: ArgumentHelp("The NIC to send from.", valueName: "url"))
    var device: String
    @Option(help: ArgumentHelp("The destination's MAC address; broadcast if not given.", valueName: "address"))
    var to: String?
    @Option(help: ArgumentHelp("Frame size on the wire, FCS included, 64 to 9018.", valueName: "bytes"))
    var size = 64
    @Option(help: ArgumentHelp("Different flows, shared out among the queues.", valueName: "n"))
    var flows = 1
    @Option(help: ArgumentHelp("Frames a second, of all queues together; as many as possible if not given.", valueName: "frames"))
    var rate: Double?
    @OptionGroup var traffic: TrafficOptions

    func validate() throws {
        guard (64...9018).contains(size) else { throw ValidationError("A frame of \(size) bytes is not possible. It has 64 to 9018.") }
        guard flows >= traffic.queues, flows <= 4096 else {
            throw ValidationError("--flows takes \(traffic.queues) (a flow a queue at least) to 4096.")
        }
        if let rate, !(rate >= 1 && rate <= 1e9) { throw ValidationError("--rate takes 1 to 1000000000 frames a second.") }
        if let to, destination(to) == nil { throw ValidationError("'\(to)' is no MAC address. Write it like --to 02:00:00:00:00:01.") }
    }

    /// A multicast address is a destination, too.
    private func destination(_ text: String) -> MACAddress? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { $0.count == 2 ? UInt8($0, radix: 16) : nil }
        return parts.contains(nil) ? nil : MACAddress(parts.compactMap { $0 })
    }

    func run() throws {
        do {
            let port = try traffic.openPort(device, maximumFrameByteCount: max(size - 4, 1514), usesInterrupts: false)
            let target = to.flatMap(destination) ?? .broadcast
            let share = traffic.count.map { $0 / UInt64(traffic.queues) }
            let workers = port.queuePairs.map { one in
                let own = (0..<flows).filter { $0 % traffic.queues == one.index }.map(UInt16.init)
                // What the division leaves goes to the first.
                let rest = one.index == 0 ? (traffic.count ?? 0) % UInt64(traffic.queues) : 0
                return Generator(
                    one, to: target, from: port.macAddress, flows: own, byteCount: size - 4, limit: share.map { $0 + rest } ?? .max,
                    framesPerSecond: rate.map { $0 / Double(traffic.queues) })
            }
            try traffic.run([port], workers, "generate")
        } catch let error as PortError { throw Ending.failed("\(error)") }
    }
}
