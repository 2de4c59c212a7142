import DeviceMemory
import LinuxIO
import NicDriver

/// A port with its two batches, and the ways to wait for it. Nothing is allocated after it was made.
struct Endpoint: ~Copyable {
    let port: any Port
    let queuePair: any QueuePair
    let run: Run
    let capture: FrameCapture?
    /// Before the other side was heard its end of the wire may not be there yet.
    var linkMayBeDown = true
    /// When the last frames were seen, nanoseconds of the monotonic clock.
    private(set) var arrivedAt: UInt64 = 0
    private(set) var firstSentAt: UInt64?
    private var received: PacketBatch
    private var outgoing: PacketBatch
    private var patience: Patience
    private var healthyAt: UInt64
    /// When the device was asked last.
    private var lookedAt: UInt64
    private var framesSinceLook = 0
    /// When the link was first found down, since it was last up.
    private var linkDownAt: UInt64?
    /// How often the device was lost and came back.
    private var recoveries = 0

    /// Silence after which the device is asked whether it is still there.
    private static let healthInterval: UInt64 = 100_000_000
    /// Time between two such questions while frames come.
    private static let trafficInterval: UInt64 = 1_000_000_000
    /// How long a full ring or an empty pool may last, milliseconds.
    private static let sendTimeoutMilliseconds: UInt64 = 1000

    init(port: any Port, role: PingPongOptions.Role, run: Run) throws(PingPongError) {
        let options = run.options
        guard port.maximumFrameByteCount >= options.maximumFrameByteCount else {
            throw .badOptions(
                "\(port.url) takes frames of up to \(port.maximumFrameByteCount + 4) bytes on the wire, and \(options.maximumFrameByteCount + 4) are asked for."
            )
        }
        let captures = options.captureByteCount > 0 && (role == .client || options.role == .server)
        do { capture = captures ? try FrameCapture(byteCount: options.captureByteCount) : nil } catch { throw .system(error.description) }
        self.port = port
        queuePair = port.queuePairs[0]
        self.run = run
        received = port.makeBatch(capacity: 32)
        outgoing = port.makeBatch(capacity: 4)
        patience = Patience(sharesOneCore: options.sharesOneCore)
        healthyAt = MonotonicClock.nanoseconds()
        lookedAt = healthyAt
    }

    /// A packet with this header and the payload that belongs to it.
    mutating func makePacket(_ frame: PingPongFrame) throws(PingPongError) -> Packet {
        var packet = try freePacket()
        packet.byteCount = frame.bufferByteCount
        frame.emit(into: packet.window)
        PayloadPattern(seed: frame.seed, sequence: frame.sequence).fill(
            packet.window, from: PingPongFrame.headerByteCount, to: packet.byteCount)
        return packet
    }

    mutating func send(_ frame: PingPongFrame) throws(PingPongError) {
        let packet = try makePacket(frame)
        if firstSentAt == nil { firstSentAt = MonotonicClock.nanoseconds() }
        try transmit(packet)
    }

    /// Hands a packet to the NIC; waits, within bounds, while the ring is full.
    mutating func transmit(_ packet: consuming Packet) throws(PingPongError) {
        // The batch is empty between two calls, so nothing comes back.
        _ = outgoing.append(packet)
        _ = queuePair.send(&outgoing)
        if outgoing.isEmpty { return }
        let deadline = Deadline(afterMilliseconds: Self.sendTimeoutMilliseconds)
        while !outgoing.isEmpty {
            queuePair.reclaim()
            _ = queuePair.send(&outgoing)
            if !outgoing.isEmpty { try waitForRoom(until: deadline) }
        }
    }

    /// The next frame of any kind. nil when the time is over or the run ends.
    /// - Parameter endsOnRecovery: also when the device was lost meanwhile, and with it the frame that is waited for.
    mutating func next(until deadline: UInt64, endsOnRecovery: Bool = false) throws(PingPongError) -> Packet? {
        let before = recoveries
        while true {
            if endsOnRecovery, recoveries != before { return nil }
            if let packet = received.removeFirst() {
                framesSinceLook &+= 1
                // A flood of frames must not keep the clock and the device from being looked at.
                if framesSinceLook & 255 == 0 {
                    if isOver(deadline) { return nil }
                    try lookInTraffic()
                }
                return packet
            }
            if queuePair.receive(into: &received) > 0 {
                arrivedAt = MonotonicClock.nanoseconds()
                healthyAt = arrivedAt
                patience.found(at: arrivedAt)
            } else if run.options.wait.usesInterrupts {
                if isOver(deadline) { return nil }
                try sleep(until: deadline)
                try checkHealth()
            } else if patience.pause() {
                if isOver(deadline) { return nil }
                try checkHealth()
            }
        }
    }

    private func isOver(_ deadline: UInt64) -> Bool { run.shallEnd || MonotonicClock.nanoseconds() >= deadline }

    private mutating func sleep(until deadline: UInt64) throws(PingPongError) {
        let now = MonotonicClock.nanoseconds()
        let left = deadline > now ? min(deadline &- now, Self.healthInterval) : 0
        do { try queuePair.waitForReceive(timeoutMilliseconds: Int32(truncatingIfNeeded: (left &+ 999_999) / 1_000_000)) } catch {
            try tolerate(error)
        }
    }

    /// Asks the device each second while frames come: one that is to be removed works on until it is given back.
    private mutating func lookInTraffic() throws(PingPongError) {
        guard MonotonicClock.nanoseconds() &- lookedAt >= Self.trafficInterval else { return }
        healthyAt = 0
        try checkHealth()
    }

    /// Asks the device each 100 ms of silence.
    private mutating func checkHealth() throws(PingPongError) {
        let now = MonotonicClock.nanoseconds()
        guard now &- healthyAt >= Self.healthInterval else { return }
        healthyAt = now
        lookedAt = now
        port.publishStatistics()
        do {
            try port.checkHealth()
            linkDownAt = nil
        } catch { try tolerate(error) }
    }

    /// Goes on without a link where it may be down, and with a device that was lost once it is back.
    private mutating func tolerate(_ error: PortError) throws(PingPongError) {
        if case .linkDown = error {
            let now = MonotonicClock.nanoseconds()
            let since = linkDownAt ?? now
            linkDownAt = since
            // The other end may be one that comes back.
            if linkMayBeDown || now &- since < run.options.recovery.milliseconds &* 1_000_000 { return }
        }
        do { try run.options.recovery.recover(port, from: error, stop: run.stop) } catch { throw .port(error) }
        recoveries &+= 1
        linkDownAt = nil
        healthyAt = MonotonicClock.nanoseconds()
    }

    private mutating func freePacket() throws(PingPongError) -> Packet {
        if let packet = queuePair.makePacket() { return packet }
        let deadline = Deadline(afterMilliseconds: Self.sendTimeoutMilliseconds)
        while true {
            queuePair.reclaim()
            if let packet = queuePair.makePacket() { return packet }
            try waitForRoom(until: deadline)
        }
    }

    private mutating func waitForRoom(until deadline: Deadline) throws(PingPongError) {
        Processor.yield()
        guard deadline.hasPassed else { return }
        do { try port.checkHealth() } catch { return try tolerate(error) }
        throw .cannotSend(url: port.url, milliseconds: Self.sendTimeoutMilliseconds)
    }
}
