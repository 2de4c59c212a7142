import DeviceMemory
import NicRegisters

/// How a family writes its transmit descriptors; the queue around them is the same. All have RS in bit 27 and the done
/// status in bit 32 of word 1. Known when a queue is compiled: nothing is called through it at run time.
protocol TransmitFormat {
    /// Bytes of the shortest frame that the device pads itself.
    static var shortestFrame: Int { get }
    /// Word 1 of a whole frame that wants its FCS only. Word 0 is the buffer's address.
    static func frameWord(length: UInt64) -> UInt64
    /// Word 1 of a whole frame with the checksums that it asks for.
    static func dataWord(for handle: PacketHandle) -> UInt64
    /// The descriptor that tells the device where the frame's headers are.
    static func context(for handle: PacketHandle) -> (word0: UInt64, word1: UInt64)
}

extension TransmitFormat {
    /// What a frame asks for, as data descriptors of all families have it.
    static func options(for handle: PacketHandle) -> E1000E.TxPacketOptions {
        var options: E1000E.TxPacketOptions = []
        if handle.flags.contains(.insertIPChecksum) { options.insert(.insertIPChecksum) }
        if !handle.flags.isDisjoint(with: [.insertUDPChecksum, .insertTCPChecksum]) { options.insert(.insertTCPUDPChecksum) }
        return options
    }
}

/// The 82574L: legacy descriptors, and TCP/IP contexts with data descriptors for checksums.
enum E1000ELegacyFormat: TransmitFormat {
    static var shortestFrame: Int { 1 }

    @inline(__always) static func frameWord(length: UInt64) -> UInt64 { length | frameCommand }

    static func dataWord(for handle: PacketHandle) -> UInt64 {
        guard handle.asksForChecksums else { return UInt64(handle.byteCount) | frameCommand }
        return E1000E.TxDataDescriptor(
            bufferAddress: 0, length: handle.byteCount, command: [.endOfPacket, .insertFCS], options: options(for: handle)
        ).word1
    }

    static func context(for handle: PacketHandle) -> (word0: UInt64, word1: UInt64) {
        let ip = UInt8(truncatingIfNeeded: handle.linkHeaderByteCount)
        let transport = UInt8(clamping: handle.linkHeaderByteCount + handle.networkHeaderByteCount)
        let isTCP = handle.flags.contains(.insertTCPChecksum)
        // IPv4 (RFC 791 §3.1): the header checksum is at byte 10. UDP (RFC 768) has its at 6, TCP (RFC 9293 §3.1) at 16.
        let descriptor = E1000E.TxContextDescriptor(
            ip: .init(start: ip, offset: ip &+ 10, end: UInt16(transport) &- 1),
            tcpUDP: .init(start: transport, offset: transport &+ (isTCP ? 16 : 6), end: 0),
            command: isTCP ? [.contextTCP, .contextIPv4] : .contextIPv4)
        return (descriptor.word0, descriptor.word1)
    }
}

@inline(__always) private var frameCommand: UInt64 { UInt64(E1000E.TxCommand.endOfPacket.rawValue | E1000E.TxCommand.insertFCS.rawValue) }
