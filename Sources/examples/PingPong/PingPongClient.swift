import DeviceMemory
import Histogram
import LinuxIO
import NicDriver

/// The side that measures: finds a server, then sends one ping after the other and waits for its pong.
struct PingPongClient {
    private let session = UInt32.random(in: 1 ... .max)
    private let server: MACAddress
    private let options: PingPongOptions
    private var sequence: UInt64 = 0
    private var lossesInARow = 0

    /// Measures every size. Results are in the report, also when it throws.
    static func measure(_ end: inout Endpoint, _ report: inout PingPongReport) throws(PingPongError) {
        guard var client = try PingPongClient(finding: &end) else { return }
        report.nanosecondsToFirstFrame = end.firstSentAt.map { $0 - end.run.startedAt }
        for size in client.options.sizes {
            end.run.progress.start(size: size)
            var result = SizeResult(size: size)
            defer { report.results.append(result) }
            for _ in 0..<client.options.warmup {
                if try client.ping(size, &end) == nil { return }
            }
            for _ in 0..<client.options.count {
                guard let outcome = try client.ping(size, &end) else { return }
                result.note(outcome)
            }
        }
        try client.sayBye(&end)
    }

    /// Says hello until a server answers. nil when the run was stopped before.
    private init?(finding end: inout Endpoint) throws(PingPongError) {
        options = end.run.options
        let deadline = MonotonicClock.nanoseconds() &+ options.helloTimeoutMilliseconds &* 1_000_000
        while MonotonicClock.nanoseconds() < deadline {
            try end.send(
                PingPongFrame(
                    kind: .hello, to: .broadcast, from: end.port.macAddress, wireByteCount: PingPongFrame.minimumWireByteCount,
                    session: session, sequence: 0, seed: options.seed))
            let nextHello = min(deadline, MonotonicClock.nanoseconds() &+ 50_000_000)
            while let packet = try end.next(until: nextHello) {
                guard let answer = PingPongFrame.parse(packet.window, byteCount: packet.byteCount), answer.kind == .helloAck,
                    answer.session == session
                else { continue }
                server = answer.source
                end.linkMayBeDown = false
                return
            }
            if end.run.shallEnd { return nil }
        }
        throw .noServer(milliseconds: options.helloTimeoutMilliseconds)
    }

    /// One counted round trip; nil when the run was stopped.
    private mutating func ping(_ size: Int, _ end: inout Endpoint) throws(PingPongError) -> RoundTripOutcome? {
        sequence &+= 1
        let outcome = try exchange(
            PingPongFrame(
                kind: .ping, to: server, from: end.port.macAddress, wireByteCount: max(size, PingPongFrame.minimumWireByteCount),
                session: session, sequence: sequence, seed: options.seed), &end)
        if outcome == nil { return nil }
        lossesInARow = outcome == .lost ? lossesInARow + 1 : 0
        if lossesInARow >= options.tolerableLossesInARow { throw .serverSilent(lossesInARow: lossesInARow) }
        end.run.progress.advance()
        return outcome
    }

    /// The measured part is between the two clock readings: filling and comparing payloads is outside of it.
    private func exchange(_ ping: PingPongFrame, _ end: inout Endpoint) throws(PingPongError) -> RoundTripOutcome? {
        let packet = try end.makePacket(ping)
        end.capture?.keep(packet.window, byteCount: packet.byteCount, at: MonotonicClock.nanoseconds())
        let sentAt = MonotonicClock.nanoseconds()
        try end.transmit(packet)
        let lostAt = sentAt &+ options.pingTimeoutMilliseconds &* 1_000_000
        while let packet = try end.next(until: lostAt, endsOnRecovery: true) {
            let arrivedAt = end.arrivedAt
            // Late pongs of earlier pings and foreign frames are passed over.
            guard let pong = PingPongFrame.parse(packet.window, byteCount: packet.byteCount), pong.kind == .pong,
                pong.session == session, pong.sequence == ping.sequence
            else { continue }
            end.capture?.keep(packet.window, byteCount: packet.byteCount, at: arrivedAt)
            let isIntact = pong.seed == ping.seed && pong.wireByteCount == ping.wireByteCount && pong.hasIntactPayload(in: packet)
            return isIntact ? .answered(nanoseconds: arrivedAt &- sentAt) : .corrupt
        }
        return end.run.shallEnd ? nil : .lost
    }

    /// Nobody acknowledges it: a server that misses it ends by its idle time-out.
    private func sayBye(_ end: inout Endpoint) throws(PingPongError) {
        try end.send(
            PingPongFrame(
                kind: .bye, to: server, from: end.port.macAddress, wireByteCount: PingPongFrame.minimumWireByteCount,
                session: session, sequence: sequence, seed: options.seed))
    }
}

/// How one ping ended.
enum RoundTripOutcome: Equatable {
    case answered(nanoseconds: UInt64)
    case corrupt
    case lost
}

extension SizeResult {
    mutating func note(_ outcome: RoundTripOutcome) {
        count &+= 1
        switch outcome {
        case .answered(let nanoseconds): roundTrips.record(min(nanoseconds, Self.longestRoundTrip))
        case .corrupt: corrupt &+= 1
        case .lost: lost &+= 1
        }
    }
}
