/// Latency between two ranks: rank 0 sends a message, rank 1 sends it back, half of the round trip is recorded. Every payload is
/// compared, outside of the time that is measured.
public struct MessagePingPong {
    public let count: Int
    /// Round trips before those that are measured.
    public let warmup: Int

    public init(count: Int, warmup: Int) {
        self.count = count
        self.warmup = warmup
    }

    /// Half round trips of rank 0 in microseconds, ascending; nil on other ranks, and if a payload came back changed.
    public func run(byteCount: Int, on ranks: Communicator) -> [Double]? {
        switch ranks.rank {
        case 0: measure(byteCount, ranks)
        case 1: answer(byteCount, ranks)
        default: nil
        }
    }

    private func measure(_ byteCount: Int, _ ranks: Communicator) -> [Double]? {
        var times: [Double] = []
        times.reserveCapacity(count)
        for round in 0..<warmup + count {
            let sent = Self.payload(byteCount, round: round)
            var got = [UInt8](repeating: 0, count: byteCount)
            let start = Communicator.now
            ranks.send(sent, to: 1)
            ranks.receive(into: &got, from: 1)
            let time = Communicator.now - start
            guard got == sent else { return nil }
            if round >= warmup { times.append(time / 2 * 1e6) }
        }
        return times.sorted()
    }

    private func answer(_ byteCount: Int, _ ranks: Communicator) -> [Double]? {
        var bytes = [UInt8](repeating: 0, count: byteCount)
        for _ in 0..<warmup + count {
            ranks.receive(into: &bytes, from: 0)
            ranks.send(bytes, to: 0)
        }
        return nil
    }

    /// Bytes that no other of 256 rounds has.
    static func payload(_ byteCount: Int, round: Int) -> [UInt8] {
        (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 / 251 &+ round &* 13) }
    }
}
