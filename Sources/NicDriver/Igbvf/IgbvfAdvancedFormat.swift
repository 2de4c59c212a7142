import DeviceMemory
import NicRegisters

/// The 82576: advanced data descriptors, and advanced contexts for checksums. Context 0 of the queue's two is used.
enum IgbvfAdvancedFormat: TransmitFormat {
    static var shortestFrame: Int { Igbvf.shortestSentFrame }

    @inline(__always) static func frameWord(length: UInt64) -> UInt64 { length | length &<< 46 | frameCommand }

    static func dataWord(for handle: PacketHandle) -> UInt64 {
        Igbvf.TxDataDescriptor(
            bufferAddress: 0, length: UInt16(truncatingIfNeeded: handle.byteCount), command: [.endOfPacket, .insertFCS],
            options: options(for: handle), payloadLength: handle.byteCount
        ).word1
    }

    static func context(for handle: PacketHandle) -> (word0: UInt64, word1: UInt64) {
        let descriptor = Igbvf.TxContextDescriptor(
            linkHeaderByteCount: handle.linkHeaderByteCount, networkHeaderByteCount: handle.networkHeaderByteCount, isIPv4: true,
            isTCP: handle.flags.contains(.insertTCPChecksum))
        return (descriptor.word0, descriptor.word1)
    }
}

/// End of packet, FCS, advanced data.
@inline(__always) private var frameCommand: UInt64 {
    Igbvf.TxDataDescriptor(bufferAddress: 0, length: 0, command: [.endOfPacket, .insertFCS], payloadLength: 0).word1
}
