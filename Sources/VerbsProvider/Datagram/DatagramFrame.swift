import DeviceMemory

/// The frame of a UD message, version 1: Ethernet II, IPv4 (RFC 791 §3.1), UDP (RFC 768), and behind them, little-endian:
///
///     byte 42     version 1
///     byte 43     kind: 1 datagram, 2 report
///     byte 44–45  flags: 1 immediate data, 2 solicited event
///     byte 46–47  zero
///     byte 48–55  key of the port that it is for
///     byte 56–63  key of the sender
///     byte 64–67  number of the datagram; of a report: zero
///     byte 68–71  report: the number behind the last one that came from the other port
///     byte 72–75  queue pair that it is for (24 bits)
///     byte 76–79  sender's queue pair (24 bits)
///     byte 80–83  queue key
///     byte 84–87  immediate data, as it lies in memory
///     byte 88–    payload
///
/// A report ends at byte 72. The fields are those of InfiniBand's BTH and DETH (rdma-core, providers/rxe; linux, rxe_hdr.h);
/// the encoding is our own, since nobody else's NIC reads it.
enum DatagramLayout {
    static let currentVersion: UInt8 = 1
    static let version = 42, kind = 43, flags = 44, zero = 46, destinationKey = 48, sourceKey = 56, number = 64, report = 68
    static let destinationQueuePair = 72, sourceQueuePair = 76, queueKey = 80, immediate = 84, payload = 88
    static let reportEnd = 72
    static let queuePairMask: UInt32 = 0xff_ffff
}

struct DatagramFlags: OptionSet, BitwiseCopyable, Sendable {
    let rawValue: UInt16
    static let immediate = DatagramFlags(rawValue: 1 << 0)
    static let solicited = DatagramFlags(rawValue: 1 << 1)
    static let known: DatagramFlags = [.immediate, .solicited]
}

/// The header of a received frame, read once and judged.
struct DatagramFrame: Equatable, BitwiseCopyable {
    enum Kind: UInt8 { case datagram = 1, report = 2 }

    var kind: Kind
    var flags: DatagramFlags
    var sourceKey: UInt64
    var number: UInt32
    var report: UInt32
    var destinationQueuePair: UInt32 = 0
    var sourceQueuePair: UInt32 = 0
    var queueKey: UInt32 = 0
    var immediate: UInt32 = 0
    var payloadByteCount = 0

    enum Judgement: Equatable {
        case good(DatagramFrame)
        /// For another life of the port.
        case foreign
        case malformed
    }

    /// - Parameters:
    ///   - end: of the datagram in the frame, at least ``DatagramLayout/reportEnd``.
    ///   - key: of this port.
    static func judge(_ window: MemoryWindow, end: Int, key: UInt64) -> Judgement {
        typealias Layout = DatagramLayout
        guard window.load64(at: Layout.destinationKey) == key else { return .foreign }
        let flags = DatagramFlags(rawValue: window.load16(at: Layout.flags))
        guard window.load8(at: Layout.version) == Layout.currentVersion, window.load16(at: Layout.zero) == 0, flags.isSubset(of: .known),
            let kind = Kind(rawValue: window.load8(at: Layout.kind))
        else { return .malformed }
        var frame = DatagramFrame(
            kind: kind, flags: flags, sourceKey: window.load64(at: Layout.sourceKey), number: window.load32(at: Layout.number),
            report: window.load32(at: Layout.report))
        if kind == .report { return end == Layout.reportEnd && flags.isEmpty ? .good(frame) : .malformed }
        guard end >= Layout.payload else { return .malformed }
        frame.destinationQueuePair = window.load32(at: Layout.destinationQueuePair)
        frame.sourceQueuePair = window.load32(at: Layout.sourceQueuePair)
        frame.queueKey = window.load32(at: Layout.queueKey)
        frame.immediate = window.load32(at: Layout.immediate)
        frame.payloadByteCount = end - Layout.payload
        guard frame.destinationQueuePair & ~Layout.queuePairMask == 0, frame.sourceQueuePair & ~Layout.queuePairMask == 0 else {
            return .malformed
        }
        return .good(frame)
    }

    /// Writes every byte from 42 up to the payload, or to the report's end.
    @inline(__always) func emit(into window: MemoryWindow, destinationKey: UInt64) {
        typealias Layout = DatagramLayout
        window.store8(Layout.currentVersion, at: Layout.version)
        window.store8(kind.rawValue, at: Layout.kind)
        window.store16(flags.rawValue, at: Layout.flags)
        window.store16(0, at: Layout.zero)
        window.store64(destinationKey, at: Layout.destinationKey)
        window.store64(sourceKey, at: Layout.sourceKey)
        window.store32(number, at: Layout.number)
        window.store32(report, at: Layout.report)
        guard kind == .datagram else { return }
        window.store32(destinationQueuePair, at: Layout.destinationQueuePair)
        window.store32(sourceQueuePair, at: Layout.sourceQueuePair)
        window.store32(queueKey, at: Layout.queueKey)
        window.store32(immediate, at: Layout.immediate)
    }
}
