import DeviceMemory
import LinuxIO
import NicDriver

/// The side that answers: every ping of its client goes back in the buffer that it came in.
struct PingPongServer {
    /// The client being served; 0 is no session.
    private var session: UInt32 = 0
    private var heardAt = MonotonicClock.nanoseconds()
    private var counters = ServedCounters()

    /// A client that was silent for so long may be replaced by another one.
    private static let takeoverNanoseconds: UInt64 = 1_000_000_000

    /// Answers until the client says bye, the run ends, or nobody was heard for the idle time-out.
    static func serve(_ end: inout Endpoint, _ report: inout PingPongReport) throws(PingPongError) {
        var server = PingPongServer()
        defer { report.served = server.counters }
        let options = end.run.options
        // In one process with its client the server ends with it.
        let idle = options.role == .both ? UInt64.max / 2 : options.idleTimeoutMilliseconds &* 1_000_000
        while let packet = try end.next(until: server.heardAt &+ idle) {
            guard let frame = PingPongFrame.parse(packet.window, byteCount: packet.byteCount) else { continue }
            switch frame.kind {
            case .hello: try server.welcome(frame, &end)
            case .ping where frame.session == server.session: try server.answer(frame, packet, &end)
            case .bye where frame.session == server.session: return
            default: continue
            }
        }
        if !end.run.shallEnd { throw .noClient(milliseconds: options.idleTimeoutMilliseconds) }
    }

    private mutating func welcome(_ hello: PingPongFrame, _ end: inout Endpoint) throws(PingPongError) {
        let now = MonotonicClock.nanoseconds()
        let isFree = session == 0 || now &- heardAt > Self.takeoverNanoseconds
        guard hello.session != 0, hello.session == session || isFree else { return }
        if hello.session != session { counters.sessions += 1 }
        session = hello.session
        heardAt = now
        end.linkMayBeDown = false
        try end.send(
            PingPongFrame(
                kind: .helloAck, to: hello.source, from: end.port.macAddress, wireByteCount: PingPongFrame.minimumWireByteCount,
                session: session, sequence: hello.sequence, seed: hello.seed))
    }

    /// Compares the payload, then sends the same buffer back. The comparison is part of what the client measures.
    private mutating func answer(_ ping: PingPongFrame, _ packet: consuming Packet, _ end: inout Endpoint) throws(PingPongError) {
        heardAt = end.arrivedAt
        counters.pings &+= 1
        if !ping.hasIntactPayload(in: packet) { counters.corrupt &+= 1 }
        var pong = ping
        pong.kind = .pong
        pong.destination = ping.source
        pong.source = end.port.macAddress
        end.capture?.keep(packet.window, byteCount: packet.byteCount, at: end.arrivedAt)
        pong.emit(into: packet.window)
        end.capture?.keep(packet.window, byteCount: packet.byteCount, at: MonotonicClock.nanoseconds())
        try end.transmit(packet)
    }
}

extension PingPongFrame {
    /// Whether the packet is as long as its header says and holds the pattern of its seed and sequence.
    func hasIntactPayload(in packet: borrowing Packet) -> Bool {
        packet.byteCount == bufferByteCount
            && PayloadPattern(seed: seed, sequence: sequence).matches(packet.window, from: Self.headerByteCount, to: packet.byteCount)
    }
}
