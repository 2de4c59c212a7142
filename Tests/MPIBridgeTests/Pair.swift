import NicDriver
import TransportSimulation

@testable import MPIBridge

/// Two endpoints and the wire between them, which a test holds in its hands.
final class Pair {
    final class End {
        let port: SimulatedPort
        var endpoint: MessageEndpoint
        var other = PeerID.any
        /// Frames that it has sent and that were not carried yet.
        var sent: [[UInt8]] = []
        var completions: [Completion] = []

        init(port: SimulatedPort, endpoint: consuming MessageEndpoint) {
            self.port = port
            self.endpoint = endpoint
            port.wire = { [unowned self] in sent.append($0) }
        }

        // The endpoint cannot be copied, and so not be looked at by #expect.
        var address: EndpointAddress { endpoint.address }
        var counters: TransportCounters { endpoint.counters }
        var residue: Residue { endpoint.residue }
        var isQuiet: Bool { endpoint.isQuiet }
        var nextDeadline: UInt64 { endpoint.nextDeadline }
        var completionCount: Int { endpoint.completionCount }
        func access(_ request: RemoteMemoryRequest, now: UInt64) -> Posting { endpoint.access(request, now: now) }
        func unregister(key: UInt64) -> Bool { endpoint.unregister(key: key) }
        func send(_ request: SendRequest, now: UInt64) -> Posting { endpoint.send(request, now: now) }
        func receive(_ request: ReceiveRequest, now: UInt64) -> Posting { endpoint.receive(request, now: now) }
        func receiveClaimed(_ request: ReceiveRequest, now: UInt64) -> Posting { endpoint.receiveClaimed(request, now: now) }
        func cancelReceive(context: UInt) -> Bool { endpoint.cancelReceive(context: context) }
        func peek(_ request: ReceiveRequest, mode: MessageEndpoint.PeekMode, now: UInt64) -> Completion? {
            endpoint.peek(request, mode: mode, now: now) ? endpoint.takeCompletion() : nil
        }
        func discardClaimed(context: UInt, space: MessageSpace, now: UInt64) -> Bool {
            endpoint.discardClaimed(context: context, space: space, now: now)
        }

        func progress(_ now: UInt64) {
            port.now = now
            _ = endpoint.progress(now: now)
            while let completion = endpoint.takeCompletion() { completions.append(completion) }
        }
    }

    static let keys: (UInt64, UInt64) = (0x0000_0001_0000_0010, 0x0000_0002_0000_0020)
    let a: End, b: End
    private(set) var now: UInt64 = 1_000

    init(keys: (UInt64, UInt64) = Pair.keys, frameByteCount: Int = 1514, change: (inout TransportOptions) -> Void = { _ in }) {
        var options = TransportOptions()
        options.peerCapacity = 4
        change(&options)
        let memory = PortMemory()
        func end(_ index: UInt64, _ key: UInt64) -> End {
            var shape = SimulatedPort.Shape()
            shape.frameByteCount = frameByteCount
            shape.transmitRing = 1_024
            shape.receiveRing = 256
            shape.frameTime = 0
            let address = EndpointAddress(
                key: key, mac: MACAddress(bits: 0x0200_0000_0000 + index), ipv4: 0x0a00_0000 + UInt32(index), udpPort: 7_000)
            let port = memory.makePort(macAddress: address.mac, shape: shape)
            return End(port: port, endpoint: MessageEndpoint(port: port, address: address, options: options, now: 1_000))
        }
        a = end(1, keys.0)
        b = end(2, keys.1)
        a.other = a.endpoint.peer(for: b.endpoint.address, now: now) ?? .any
        b.other = b.endpoint.peer(for: a.endpoint.address, now: now) ?? .any
    }

    /// Carries what was sent, as far as `passes` lets it, until nobody sends any more.
    func exchange(rounds: Int = 10_000, passes: ([UInt8]) -> Bool = { _ in true }) {
        for _ in 0..<rounds {
            a.progress(now)
            b.progress(now)
            guard !a.sent.isEmpty || !b.sent.isEmpty else { return }
            carry(from: a, to: b, passes)
            carry(from: b, to: a, passes)
        }
    }

    func carry(from source: End, to target: End, _ passes: ([UInt8]) -> Bool = { _ in true }) {
        let frames = source.sent
        source.sent = []
        for frame in frames where passes(frame) {
            target.port.arrive(frame)
            now += 100
            target.progress(now)
        }
    }

    /// Lets time pass; both look at their timers whenever these are due.
    func advance(by time: UInt64, aloneA: Bool = false, passes: ([UInt8]) -> Bool = { _ in true }) {
        let end = now + time
        while true {
            let next = aloneA ? a.endpoint.nextDeadline : min(a.endpoint.nextDeadline, b.endpoint.nextDeadline)
            guard next < end else { break }
            now = max(now + 1, next)
            a.progress(now)
            if aloneA {
                a.sent = a.sent.filter(passes)
                continue
            }
            b.progress(now)
            carry(from: a, to: b, passes)
            carry(from: b, to: a, passes)
        }
        now = max(now, end)
    }
}

/// Bytes for sends and receives that live as long as this.
@safe final class TestBytes {
    private let memory: UnsafeMutableRawBufferPointer

    init(_ bytes: [UInt8]) {
        // SAFETY: freed by deinit; no bytes need an address too.
        unsafe memory = .allocate(byteCount: max(1, bytes.count), alignment: 8)
        for (index, byte) in bytes.enumerated() { unsafe memory[index] = byte }
        byteCount = bytes.count
    }
    convenience init(count: Int, _ byte: UInt8 = 0) { self.init([UInt8](repeating: byte, count: count)) }
    deinit { unsafe memory.deallocate() }

    let byteCount: Int
    // SAFETY: whoever uses it keeps this object until the operation is over.
    var application: ApplicationMemory { unsafe ApplicationMemory(address: UInt(bitPattern: memory.baseAddress), byteCount: byteCount) }
    var address: UInt { unsafe UInt(bitPattern: memory.baseAddress) }
    var bytes: [UInt8] { unsafe Array(memory.prefix(byteCount)) }
}

/// A frame's fields as the format's description has them.
func kind(_ frame: [UInt8]) -> FrameKind? { FrameKind(rawValue: frame[43]) }
func isCounted(_ frame: [UInt8]) -> Bool { kind(frame)?.isCounted ?? false }
func sequence(_ frame: [UInt8]) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(frame[64 + $1]) << UInt32(8 * $1) } }
