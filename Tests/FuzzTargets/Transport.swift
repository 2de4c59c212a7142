import TransportSimulation

/// A peer of the transport that says anything: raw frames, and frames whose head is right, so that what is behind it is read.
extension FuzzTarget {
    func attackTransport(_ bytes: [UInt8]) {
        let victim = Victim(memory: PortMemory(), busy: (bytes.first ?? 0) & 1 == 0)
        var rest = bytes.dropFirst()
        var sequence = TransportFuzz.firstSequence(from: victim.attacker.key, to: victim.address.key)
        let acknowledgement = TransportFuzz.firstSequence(from: victim.address.key, to: victim.attacker.key)
        for _ in 0..<64 {
            guard let command = rest.popFirst(), let length = rest.popFirst() else { break }
            let payload = Array(rest.prefix(Int(length)))
            rest = rest.dropFirst(payload.count)
            switch command >> 5 {
            case 0: victim.take(payload)
            case 1: victim.advance(by: UInt64(length) * UInt64(length) * 1_000_000)
            default:
                var frame = ForgedFrame(kind: command & 15, from: victim.attacker, to: victim.address, payload: Array(payload.dropFirst(4)))
                frame.flags = UInt16(payload.first ?? 0) & 15
                frame.sequence = sequence &+ UInt32(truncatingIfNeeded: Int(Int8(bitPattern: payload.count > 1 ? payload[1] : 0)))
                frame.acknowledgement = acknowledgement &+ UInt32(payload.count > 2 ? payload[2] : 0)
                if payload.count > 3, payload[3] & 0x80 != 0 { frame.byteCredit = UInt32(payload[3]) << 24 }
                if frame.sequence == sequence, frame.kind != 1, frame.kind != 11 { sequence &+= 1 }
                victim.take(frame.bytes)
            }
        }
        victim.advance(by: 1_000_000_000)
        if let damage = victim.damage { preconditionFailure(damage) }
        precondition(victim.completions.count < 10_000, "completions without operations")
        precondition(victim.endpoint.counters.unexpectedBytesPeak <= (1 << 20) + 8 << 18, "more was kept than was granted")
        if let loss = victim.end() { preconditionFailure(loss) }
    }
}

/// What a peer knows of the transport from its description.
private enum TransportFuzz {
    /// The upper half of the sender's key against the lower half of the receiver's.
    static func firstSequence(from source: UInt64, to target: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: source >> 32 ^ target) }
}
