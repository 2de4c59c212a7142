import DeviceMemory
import NicRegisters

/// Which pair gets a received frame. One pair: nothing to choose. Several, by VQ_PAIRS_SET: the pair that last sent a
/// frame of the same flow ("Automatic receive steering in multiqueue mode"). Several, by RSS_CONFIG: hash and table of the
/// driver's ("Receive-side scaling").
struct VirtioNetSteering {
    enum Mode: Equatable { case onePair, flows, hash }

    static let hashTypes: VirtioNet.HashTypes = [.ipv4, .tcpv4, .udpv4, .ipv6, .tcpv6, .udpv6]

    private(set) var mode = Mode.onePair
    private(set) var pairs = 1
    /// The pair of each flow, by the low bits of its hash.
    private var flows = [UInt8](repeating: 0, count: 1024)
    private var types: VirtioNet.HashTypes = []
    private var table = [UInt8](repeating: 0, count: VirtioNet.RSSConfig.minimumTableCount)
    private var tableMask = 0
    private var unclassified = 0
    private var toeplitz = ToeplitzTable()

    mutating func reset() { setPairs(1) }

    /// - Parameter count: 1 to 8.
    mutating func setPairs(_ count: Int) {
        pairs = count
        mode = count == 1 ? .onePair : .flows
        for index in flows.indices { flows[index] = UInt8(index % count) }
    }

    /// - Parameters:
    ///   - entries: a power of two of them, at most 128, each a pair's number.
    ///   - key: at most 40 bytes.
    mutating func setHash(_ types: VirtioNet.HashTypes, entries: [UInt8], unclassified: Int, key: [UInt8]) {
        mode = .hash
        self.types = types
        for (index, pair) in entries.enumerated() { table[index] = pair }
        tableMask = entries.count - 1
        self.unclassified = unclassified
        toeplitz = ToeplitzTable(key: key)
    }

    /// The pair that gets a frame.
    /// - Parameter frame: at least 14 bytes.
    @inline(__always) func pair(of frame: MemoryWindow) -> Int {
        switch mode {
        case .onePair: 0
        case .flows: Flow(frame).map { Int(flows[$0.symmetricHash & 1023]) } ?? 0
        case .hash: hashedPair(frame)
        }
    }

    /// A pair sent a frame of a flow: what comes back goes to it.
    @inline(__always) mutating func learn(_ frame: MemoryWindow, pair: Int) {
        guard mode == .flows, let flow = Flow(frame) else { return }
        flows[flow.symmetricHash & 1023] = UInt8(truncatingIfNeeded: pair)
    }

    /// "Hash calculation for incoming packets": ports count if their type is enabled, else the addresses alone.
    private func hashedPair(_ frame: MemoryWindow) -> Int {
        guard let flow = Flow(frame) else { return unclassified }
        let withPorts: VirtioNet.HashTypes
        let addressesOnly: VirtioNet.HashTypes = flow.addressByteCount == 8 ? .ipv4 : .ipv6
        switch flow.transport {
        case .tcp: withPorts = flow.addressByteCount == 8 ? .tcpv4 : .tcpv6
        case .udp: withPorts = flow.addressByteCount == 8 ? .udpv4 : .udpv6
        case .other: withPorts = []
        }
        let countsPorts = !withPorts.isEmpty && types.contains(withPorts)
        guard countsPorts || types.contains(addressesOnly) else { return unclassified }
        var hash = toeplitz.hash(frame, at: flow.addresses, byteCount: flow.addressByteCount, place: 0)
        if countsPorts { hash ^= toeplitz.hash(frame, at: flow.ports, byteCount: 4, place: flow.addressByteCount) }
        return Int(table[Int(hash) & tableMask])
    }
}

/// Where a frame's addresses and ports are. Every length is judged against the frame before it is used; the bytes may be
/// changed by others at any time, which costs at most a wrong queue.
struct Flow {
    enum Transport { case tcp, udp, other }

    let addresses: Int
    /// Source and destination together: 8 or 32.
    let addressByteCount: Int
    let ports: Int
    let transport: Transport
    private(set) var symmetricHash: Int

    /// nil: neither IPv4 nor IPv6. One VLAN tag is looked through.
    init?(_ frame: MemoryWindow) {
        guard frame.byteCount >= 34 else { return nil }
        var type = frame.load16(at: 12).byteSwapped
        var start = 14
        if type == 0x8100 {
            type = frame.load16(at: 16).byteSwapped
            start = 18
        }
        switch type {
        case 0x0800:
            // RFC 791 §3.1: fragments have no ports that all of them carry.
            guard frame.byteCount >= start + 20 else { return nil }
            let first = frame.load8(at: start)
            let length = Int(first & 0xf) * 4
            guard first >> 4 == 4, length >= 20 else { return nil }
            let isFragment = frame.load16(at: start + 6).byteSwapped & 0x3fff != 0
            (addresses, addressByteCount, ports) = (start + 12, 8, start + length)
            transport = isFragment ? .other : Flow.transport(frame.load8(at: start + 9), ports, frame)
        case 0x86dd:
            // RFC 8200 §3. Extension headers are not followed.
            guard frame.byteCount >= start + 40, frame.load8(at: start) >> 4 == 6 else { return nil }
            (addresses, addressByteCount, ports) = (start + 8, 32, start + 40)
            transport = Flow.transport(frame.load8(at: start + 6), ports, frame)
        default: return nil
        }
        symmetricHash = 0
        symmetricHash = hash(frame)
    }

    private static func transport(_ kind: UInt8, _ ports: Int, _ frame: MemoryWindow) -> Transport {
        guard frame.byteCount >= ports + 4 else { return .other }
        return kind == 6 ? .tcp : kind == 17 ? .udp : .other
    }

    /// The same for both directions of a flow.
    private func hash(_ frame: MemoryWindow) -> Int {
        let half = addressByteCount / 2
        var sum: UInt32 = 0
        for at in stride(from: 0, to: half, by: 4) {
            sum ^= frame.load32(at: addresses + at) ^ frame.load32(at: addresses + half + at)
        }
        if transport != .other { sum ^= UInt32(frame.load16(at: ports) ^ frame.load16(at: ports + 2)) << 8 }
        // Spreads the bits: Knuth, The Art of Computer Programming, volume 3, 6.4, multiplicative hashing.
        return Int((sum &* 0x9e37_79b1) >> 16)
    }
}

/// The Toeplitz hash by table: 256 results for each byte's place. ``ToeplitzHash`` says what it is.
struct ToeplitzTable {
    /// Longest input: two IPv6 addresses and two ports.
    private static let places = 36
    private var results: [UInt32] = []

    /// All hashes are 0.
    init() {}

    init(key: [UInt8]) {
        let hash = ToeplitzHash(key: key.count >= 4 ? key : key + [UInt8](repeating: 0, count: 4 - key.count))
        results = [UInt32](repeating: 0, count: Self.places * 256)
        for place in 0..<Self.places {
            let before = [UInt8](repeating: 0, count: place)
            // The hash is linear: each bit's part once, then their sums.
            var bits = InlineArray<8, UInt32>(repeating: 0)
            for bit in 0..<8 { bits[bit] = hash.hash(before + [1 << UInt8(bit)]) }
            for value in 0..<256 {
                for bit in 0..<8 where value >> bit & 1 == 1 { results[place * 256 + value] ^= bits[bit] }
            }
        }
    }

    /// The part of a run of bytes that is the input's from `place` on.
    @inline(__always) func hash(_ frame: MemoryWindow, at offset: Int, byteCount: Int, place: Int) -> UInt32 {
        guard !results.isEmpty else { return 0 }
        var sum: UInt32 = 0
        for index in 0..<byteCount { sum ^= results[(place &+ index) &* 256 &+ Int(frame.load8(at: offset &+ index))] }
        return sum
    }
}
