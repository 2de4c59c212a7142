import DeviceMemory
import MPIBridge

/// The 40 bytes at the front of each received datagram: a global routing header (infiniband/verbs.h, struct ibv_grh), made from
/// the sender's name, so that programs can answer by ibv_create_ah_from_wc(3).
struct RouteHeader: Equatable, BitwiseCopyable {
    static let byteCount = 40
    var source: PortName
    var destination: PortName
    /// Bytes behind the header.
    var payloadByteCount: Int

    private enum Offset { static let version = 0, length = 4, next = 6, hops = 7, source = 8, destination = 24 }
    /// Of a GRH as of IPv6 (RFC 8200 §3): the version is 6.
    private static let version: UInt32 = 6 << 28
    /// Says that InfiniBand's transport header is next (rdma-core, libibverbs/verbs.c takes no other; linux, IB_GRH_NEXT_HDR).
    private static let nextHeader: UInt8 = 0x1b

    /// - Parameter window: of at least ``byteCount`` bytes.
    func emit(into window: MemoryWindow) {
        window.store32(Self.version.bigEndian, at: Offset.version)
        window.store16(UInt16(truncatingIfNeeded: payloadByteCount).bigEndian, at: Offset.length)
        window.store8(Self.nextHeader, at: Offset.next)
        window.store8(64, at: Offset.hops)
        window.store64(source.high.bigEndian, at: Offset.source)
        window.store64(source.low.bigEndian, at: Offset.source + 8)
        window.store64(destination.high.bigEndian, at: Offset.destination)
        window.store64(destination.low.bigEndian, at: Offset.destination + 8)
    }

    /// Who sent the datagram that a program shows us. nil: not such a header.
    static func source(_ window: MemoryWindow) -> PortName? {
        guard window.byteCount >= byteCount, UInt32(bigEndian: window.load32(at: Offset.version)) >> 28 == 6,
            window.load8(at: Offset.next) == nextHeader
        else { return nil }
        return PortName(
            high: UInt64(bigEndian: window.load64(at: Offset.source)), low: UInt64(bigEndian: window.load64(at: Offset.source + 8)))
    }
}
