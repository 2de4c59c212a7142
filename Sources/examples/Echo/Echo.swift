/// A host that only answers: ARP requests for its address, and ICMP echo. The frame that came in goes out again.
///
/// A reader's way: this file (the loop), then ``EchoResponder`` (what is answered, and how).
import DeviceMemory
public import LinuxIO
public import NicDriver

public enum Echo {
    public struct Options: Sendable {
        public var address: IPv4Address
        /// Ends after so many echo replies; nil: only when it is stopped.
        public var count: Int?
        /// The port sleeps when it waits: no looking before that.
        public var usesInterrupts = false
        /// What happens when the device is gone.
        public var recovery = Recovery.off
        /// The address to answer under; the port receives what is sent to it.
        public var macAddress: MACAddress
        public init(address: IPv4Address, mac: MACAddress) {
            self.address = address
            macAddress = mac
        }
    }

    /// What was done until the end.
    public struct Counters: Equatable, Sendable {
        public var arpReplies = 0
        public var echoReplies = 0
        /// Frames that are not for us, or that nobody answers.
        public var ignored = 0
        /// Frames to us with impossible lengths or wrong checksums.
        public var malformed = 0
        /// Answers that found no room in the ring within a second.
        public var unsent = 0
        public init() {}
    }

    /// Answers until `count` echo replies are out, `stop` is raised, or the port fails. Counts are kept in `counters`, also when it throws.
    public static func run(_ port: any Port, _ options: Options, stop: StopFlag, counters: inout Counters) throws(PortError) {
        let responder = EchoResponder(mac: options.macAddress, address: options.address)
        var received = port.makeBatch(capacity: 32)
        var outgoing = port.makeBatch(capacity: 32)
        var emptyPolls = 0
        var healthCheck = Deadline(afterMilliseconds: 100)
        while !stop.isRaised {
            if port.receive(into: &received) == 0 {
                emptyPolls += 1
                do throws(PortError) {
                    if options.usesInterrupts || emptyPolls > 2000 { try port.waitForReceive(timeoutMilliseconds: 100) }
                    if healthCheck.hasPassed {
                        try checkDevice(port)
                        healthCheck = Deadline(afterMilliseconds: 100)
                    }
                } catch { try options.recovery.recover(port, from: error, stop: stop) }
                continue
            }
            emptyPolls = 0
            while let packet = received.removeFirst() {
                switch responder.answer(packet.window, byteCount: packet.byteCount) {
                case .arpReply: counters.arpReplies += 1
                case .echoReply: counters.echoReplies += 1
                case .ignored: counters.ignored += 1; continue
                case .malformed: counters.malformed += 1; continue
                }
                _ = outgoing.append(packet)
            }
            flush(port, &outgoing, &counters)
            if let count = options.count, counters.echoReplies >= count { return }
        }
    }

    /// A cable that is pulled may come back.
    private static func checkDevice(_ port: any Port) throws(PortError) {
        port.publishStatistics()
        do { try port.checkHealth() } catch {
            if case .linkDown = error { return }
            throw error
        }
    }

    private static func flush(_ port: any Port, _ outgoing: inout PacketBatch, _ counters: inout Counters) {
        _ = port.send(&outgoing)
        if outgoing.isEmpty { return }
        let deadline = Deadline(afterMilliseconds: 1000)
        while !outgoing.isEmpty, !deadline.hasPassed {
            port.reclaim()
            if port.send(&outgoing) == 0 { Processor.yield() }
        }
        counters.unsent += outgoing.count
        outgoing.removeAll()
    }
}

/// An IPv4 address in host order.
public struct IPv4Address: Hashable, Sendable, CustomStringConvertible {
    public let bits: UInt32
    public init(bits: UInt32) { self.bits = bits }

    /// Four decimal numbers: "10.0.0.2". nil for anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { $0.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } ? UInt8($0) : nil }
        guard parts.count == 4, numbers.count == 4 else { return nil }
        bits = numbers.reduce(0) { $0 << 8 | UInt32($1) }
    }

    public var description: String { (0..<4).map { String(bits >> (24 - 8 * $0) & 0xff) }.joined(separator: ".") }
}
