public import DeviceMemory
public import NicDriver

/// The header of a ping-pong frame, behind which the payload stands (``PayloadPattern``).
///
///     byte  0–5   destination          Ethernet (IEEE 802.3)
///     byte  6–11  source
///     byte 12–13  EtherType 0x88B5     IEEE 802, local experimental EtherType 1
///     byte 14–15  magic 0x6e75         this and all below: little-endian
///     byte 16     version 1
///     byte 17     kind
///     byte 18–19  size on the wire, bytes with FCS
///     byte 20–23  session
///     byte 24–31  sequence
///     byte 32–39  seed of the payload
public struct PingPongFrame: Equatable, Sendable {
    public enum Kind: UInt8, Sendable {
        /// A client looks for a server, by broadcast; the server answers with its address.
        case hello = 1, helloAck = 2
        case ping = 3, pong = 4
        /// The client is done.
        case bye = 5
    }

    public var destination: MACAddress
    public var source: MACAddress
    public var kind: Kind
    /// Bytes on the wire, FCS included: four more than in the buffer.
    public var wireByteCount: Int
    public var session: UInt32
    public var sequence: UInt64
    public var seed: UInt64

    public static let etherType: UInt16 = 0x88B5
    public static let magic: UInt16 = 0x6E75
    public static let version: UInt8 = 1
    public static let headerByteCount = 40
    /// IEEE 802.3: no frame on the wire is shorter, FCS included.
    public static let minimumWireByteCount = 64
    public static let checkSequenceByteCount = 4

    public init(
        kind: Kind, to destination: MACAddress, from source: MACAddress, wireByteCount: Int, session: UInt32, sequence: UInt64, seed: UInt64
    ) {
        self.destination = destination
        self.source = source
        self.kind = kind
        self.wireByteCount = wireByteCount
        self.session = session
        self.sequence = sequence
        self.seed = seed
    }

    /// Bytes in the packet's buffer.
    public var bufferByteCount: Int { wireByteCount - Self.checkSequenceByteCount }

    /// Reads the header of a received frame. nil for anything else that a wire may carry, whatever its bytes.
    /// - Parameter byteCount: of the frame in the buffer, without FCS.
    public static func parse(_ window: MemoryWindow, byteCount: Int) -> PingPongFrame? {
        guard byteCount >= headerByteCount, byteCount <= window.byteCount,
            UInt16(bigEndian: window.load16(at: 12)) == etherType, window.load16(at: 14) == magic, window.load8(at: 16) == version,
            let kind = Kind(rawValue: window.load8(at: 17))
        else { return nil }
        return PingPongFrame(
            kind: kind, to: address(in: window, at: 0), from: address(in: window, at: 6), wireByteCount: Int(window.load16(at: 18)),
            session: window.load32(at: 20), sequence: window.load64(at: 24), seed: window.load64(at: 32))
    }

    /// Writes every byte of the header. The buffer holds at least ``headerByteCount`` bytes.
    public func emit(into window: MemoryWindow) {
        Self.store(destination, into: window, at: 0)
        Self.store(source, into: window, at: 6)
        window.store16(Self.etherType.bigEndian, at: 12)
        window.store16(Self.magic, at: 14)
        window.store8(Self.version, at: 16)
        window.store8(kind.rawValue, at: 17)
        window.store16(UInt16(clamping: wireByteCount), at: 18)
        window.store32(session, at: 20)
        window.store64(sequence, at: 24)
        window.store64(seed, at: 32)
    }

    private static func address(in window: MemoryWindow, at offset: Int) -> MACAddress {
        let high = UInt32(bigEndian: window.load32(at: offset))
        let low = UInt16(bigEndian: window.load16(at: offset + 4))
        return MACAddress(bits: UInt64(high) << 16 | UInt64(low))
    }

    private static func store(_ address: MACAddress, into window: MemoryWindow, at offset: Int) {
        window.store32(UInt32(truncatingIfNeeded: address.bits >> 16).bigEndian, at: offset)
        window.store16(UInt16(truncatingIfNeeded: address.bits).bigEndian, at: offset + 4)
    }
}
