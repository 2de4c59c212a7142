import DeviceMemory
import LinuxIO
public import NicDriver

/// Moves frames between one queue pair of each of two ports, both ways. Each port's packets lie in memory of its own,
/// mapped for its own device: frames are copied.
public final class Forwarder: TrafficWorker {
    private let there: ForwardingLane
    private let back: ForwardingLane
    private let limit: UInt64

    /// - Parameters:
    ///   - longestByteCount: that both ports send, without FCS.
    ///   - limit: ends after so many frames, both ways together.
    public init(_ left: any QueuePair, _ right: any QueuePair, longestByteCount: Int, limit: UInt64) {
        there = ForwardingLane(from: left, to: right, longestByteCount: longestByteCount)
        back = ForwardingLane(from: right, to: left, longestByteCount: longestByteCount)
        self.limit = limit
    }

    public var tally: TrafficTally { there.tally + back.tally }
    public var isDone: Bool { there.tally.frames &+ back.tally.frames >= limit }
    public var firstAt: UInt64 { [there.firstAt, back.firstAt].filter { $0 != 0 }.min() ?? 0 }
    public var lastAt: UInt64 { max(there.lastAt, back.lastAt) }

    public func step() throws(PortError) -> Int { there.step() &+ back.step() }
}

/// One way.
private final class ForwardingLane {
    private let source: any QueuePair
    private let target: any QueuePair
    private let longestByteCount: Int
    private var incoming: PacketBatch
    private var outgoing: PacketBatch
    private(set) var tally = TrafficTally()
    private(set) var firstAt: UInt64 = 0
    private(set) var lastAt: UInt64 = 0

    init(from source: any QueuePair, to target: any QueuePair, longestByteCount: Int) {
        self.source = source
        self.target = target
        self.longestByteCount = longestByteCount
        incoming = source.makeBatch(capacity: 32)
        outgoing = target.makeBatch(capacity: 32)
    }

    /// Receives a batch, sends it, and drops what does not fit: a forwarder that waits for one port starves the other.
    func step() -> Int {
        let count = source.receive(into: &incoming)
        guard count > 0 else {
            target.reclaim()
            return 0
        }
        lastAt = MonotonicClock.nanoseconds()
        if firstAt == 0 { firstAt = lastAt }
        while let packet = incoming.removeFirst() { copy(packet) }
        let sent = target.send(&outgoing)
        tally.frames &+= UInt64(sent)
        tally.droppedFrames &+= UInt64(outgoing.count)
        outgoing.removeAll()
        return count
    }

    private func copy(_ packet: borrowing Packet) {
        guard packet.byteCount <= longestByteCount, var copy = target.makePacket() else {
            tally.droppedFrames &+= 1
            return
        }
        copy.byteCount = packet.byteCount
        packet.window.copy(at: 0, byteCount: packet.byteCount, to: copy.window, at: 0)
        tally.bytes &+= UInt64(packet.byteCount)
        _ = outgoing.append(copy)
    }
}
