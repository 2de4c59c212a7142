public import MPIBridge
import NicDriver

/// An endpoint that a hostile peer sends frames to, with operations of every kind under way and guard bytes around all memory.
public final class Victim {
    public let address = EndpointAddress(
        key: 0x1122_3344_5566_7788, mac: MACAddress(bits: 0x0200_0000_0001), ipv4: 0x0a00_0001, udpPort: 5000)
    public let attacker = EndpointAddress(
        key: 0xaabb_ccdd_eeff_0011, mac: MACAddress(bits: 0x0200_0000_0002), ipv4: 0x0a00_0002, udpPort: 5001)
    public let friend = EndpointAddress(
        key: 0x0f0f_0f0f_0f0f_0f0f, mac: MACAddress(bits: 0x0200_0000_0003), ipv4: 0x0a00_0003, udpPort: 5002)
    public var endpoint: MessageEndpoint {
        _read { yield held! }
        _modify { yield &held! }
    }
    private var held: MessageEndpoint?
    public private(set) var now: UInt64 = 1_000
    public private(set) var sent: [[UInt8]] = []
    public private(set) var completions: [Completion] = []
    public let attackerID: PeerID
    public let friendID: PeerID

    private let memory: PortMemory
    private let port: SimulatedPort
    private let readable = GuardedMemory(byteCount: 4_096), writable = GuardedMemory(byteCount: 4_096)
    private let shared = GuardedMemory(byteCount: 4_096)
    private var received: [GuardedMemory] = []
    private var outgoing: [GuardedMemory] = []
    public static let readKey: UInt64 = 7, writeKey: UInt64 = 9, sharedKey: UInt64 = 11

    /// - Parameter busy: with receives, sends, a read and a write under way.
    public init(memory: PortMemory, busy: Bool = true, change: (inout TransportOptions) -> Void = { _ in }) {
        self.memory = memory
        var shape = SimulatedPort.Shape()
        shape.packets = 384
        port = memory.makePort(macAddress: address.mac, shape: shape)
        var options = TransportOptions()
        options.peerCapacity = 8
        options.sendCapacity = 64
        options.receiveCapacity = 64
        options.retainedFrames = 64
        options.unexpectedCapacity = 64
        options.unexpectedByteLimit = 1 << 20
        change(&options)
        var endpoint = MessageEndpoint(port: port, address: address, options: options, now: now)
        guard let attackerID = endpoint.peer(for: attacker, now: now), let friendID = endpoint.peer(for: friend, now: now) else {
            preconditionFailure("no room for two peers")
        }
        self.attackerID = attackerID
        self.friendID = friendID
        held = consume endpoint
        port.wire = { [unowned self] in
            sent.append($0)
            // Who never reads what is answered would keep all of it.
            if sent.count > 4_096 { sent.removeFirst(2_048) }
        }
        readable.fill(Pattern(1))
        // SAFETY: the memory lives as long as this object, and the endpoint is let go of before it.
        precondition(
            unsafe self.endpoint.register(address: readable.address, byteCount: 4_096, key: Self.readKey, access: .remoteRead)
                && self.endpoint.register(address: writable.address, byteCount: 4_096, key: Self.writeKey, access: .remoteWrite)
                && self.endpoint.register(
                    address: shared.address, byteCount: 4_096, key: Self.sharedKey, access: [.remoteRead, .remoteWrite])
        )
        if busy { postEverything() }
    }

    private func postEverything() {
        for (space, peer, options) in [
            (MessageSpace.tagged, attackerID, OperationOptions.completes), (.tagged, .any, .completes), (.untagged, friendID, .completes),
            (.untagged, .any, [.completes, .multiReceive]), (.tagged, .any, [.completes, .multiReceive]),
        ] { _ = receive(from: peer, space: space, byteCount: 300, options: options) }
        for peer in [attackerID, friendID] {
            _ = send(to: peer, byteCount: 40)
            _ = send(to: peer, byteCount: 60_000)
            postAtomics(to: peer)
            for (direction, byteCount) in [(RemoteMemoryRequest.Direction.read, 3_000), (.read, 0), (.write, 500), (.write, 50_000)] {
                let memory = GuardedMemory(byteCount: byteCount)
                if direction == .write { outgoing.append(memory) } else { received.append(memory) }
                _ = endpoint.access(
                    RemoteMemoryRequest(direction, peer: peer, memory: memory.application, remoteOffset: 0, remoteKey: 1, context: 99),
                    now: now)
            }
        }
    }

    private func postAtomics(to peer: PeerID) {
        for returnsOld in [false, true] {
            let operand = GuardedMemory(byteCount: 8), result = GuardedMemory(byteCount: returnsOld ? 8 : 0)
            received.append(result)
            guard let access = AtomicAccess(.sum, .uint64, returnsOld: returnsOld) else { continue }
            _ = endpoint.access(
                AtomicRequest(
                    access, peer: peer, count: 1, operands: operand.application, result: result.application, remoteOffset: 0, remoteKey: 1,
                    context: 99), now: now)
        }
    }

    public func receive(from peer: PeerID, space: MessageSpace, byteCount: Int, options: OperationOptions = .completes) -> Posting {
        let memory = GuardedMemory(byteCount: byteCount)
        received.append(memory)
        return endpoint.receive(
            ReceiveRequest(
                from: peer, space: space, ignore: .max, memory: memory.application, context: UInt(received.count), options: options),
            now: now)
    }

    public func send(to peer: PeerID, byteCount: Int) -> Posting {
        let memory = GuardedMemory(byteCount: byteCount)
        memory.fill(Pattern(2))
        outgoing.append(memory)
        return endpoint.send(
            SendRequest(to: peer, space: .tagged, tag: 5, memory: memory.application, context: UInt(outgoing.count)), now: now)
    }

    // The endpoint cannot be copied, and so not be looked at by a test's macro.
    public var counters: TransportCounters { endpoint.counters }
    package var residue: Residue { endpoint.residue }

    /// One frame comes in, and the endpoint looks at it.
    public func take(_ frame: [UInt8]) {
        port.arrive(frame)
        advance(by: 1_000)
    }

    public func advance(by time: UInt64) {
        now += time
        port.now = now
        _ = endpoint.progress(now: now)
        while let completion = endpoint.takeCompletion() { completions.append(completion) }
    }

    /// What the endpoint has sent since the last time.
    public func takeSent() -> [[UInt8]] {
        defer { sent = [] }
        return sent
    }

    /// Bytes of the memory that peers may write.
    public func holdsWritten(_ byte: UInt8, in range: Range<Int>) -> Bool {
        // SAFETY: the region is this object's, the range is within it.
        range.allSatisfy { unsafe UnsafePointer<UInt8>(bitPattern: writable.address + UInt($0))?.pointee == byte }
    }

    /// nil: nothing was written that may not be. Else what was.
    public var damage: String? {
        if !readable.holds(Pattern(1), count: 4_096) || !readable.isUntouched(except: 0..<4_096) {
            return "memory for reading was written to"
        }
        if !shared.isUntouched(except: 0..<4_096) { return "bytes around shared memory were written" }
        if !writable.isUntouched(except: 0..<4_096) { return "bytes around memory for writing were written" }
        for memory in received where !memory.isUntouched(except: 0..<memory.byteCount) { return "bytes around a receive were written" }
        return nil
    }

    /// Ends the endpoint. nil: all packets are back.
    public func end() -> String? {
        held = nil
        return memory.takeBack(port) ? nil : "packet buffers are missing"
    }
}
