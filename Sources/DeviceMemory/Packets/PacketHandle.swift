/// A packet as one word, for rings and batches: no reference, no allocation. Whoever holds it owns the buffer.
///
///     bits  0–15  bytes in the buffer
///     bits 16–39  buffer index in its pool
///     bits 40–47  ``PacketFlags``
///     bits 48–55  link header length for checksum insertion, bytes
///     bits 56–63  network header length for checksum insertion, bytes
@frozen public struct PacketHandle: BitwiseCopyable, Sendable {
    public var word: UInt64
    @inlinable public init(word: UInt64) { self.word = word }
    @inlinable public init(index: UInt32, byteCount: UInt32) {
        word = UInt64(byteCount & 0xffff) | UInt64(index & 0xff_ffff) &<< 16
    }
    @inlinable public var byteCount: UInt32 { UInt32(truncatingIfNeeded: word & 0xffff) }
    @inlinable public var index: UInt32 { UInt32(truncatingIfNeeded: word &>> 16) & 0xff_ffff }
    @inlinable public var flags: PacketFlags { PacketFlags(rawValue: UInt8(truncatingIfNeeded: word &>> 40)) }
    /// Some checksum is to be inserted: an insertion flag or a header length is set.
    @inlinable public var asksForChecksums: Bool { word &>> 45 != 0 }
    @inlinable public var linkHeaderByteCount: Int { Int(truncatingIfNeeded: word &>> 48 & 0xff) }
    @inlinable public var networkHeaderByteCount: Int { Int(truncatingIfNeeded: word &>> 56) }
}

/// What the NIC found in a received packet's checksums, or shall insert into a sent one.
@frozen public struct PacketFlags: OptionSet, BitwiseCopyable, Sendable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// Received: the NIC checked the UDP checksum.
    @inlinable public static var udpChecksumChecked: PacketFlags { PacketFlags(rawValue: 1) }
    /// Received: the NIC checked the TCP checksum.
    @inlinable public static var tcpChecksumChecked: PacketFlags { PacketFlags(rawValue: 2) }
    /// Received: the NIC checked the IPv4 header's checksum.
    @inlinable public static var ipChecksumChecked: PacketFlags { PacketFlags(rawValue: 4) }
    /// Received: the TCP or UDP checksum was wrong.
    @inlinable public static var transportChecksumBad: PacketFlags { PacketFlags(rawValue: 8) }
    /// Received: the IPv4 header's checksum was wrong.
    @inlinable public static var ipChecksumBad: PacketFlags { PacketFlags(rawValue: 16) }
    /// To send: insert the IPv4 header's checksum; the field holds zero.
    @inlinable public static var insertIPChecksum: PacketFlags { PacketFlags(rawValue: 32) }
    /// To send: insert the UDP checksum; the field holds the pseudo-header's sum.
    @inlinable public static var insertUDPChecksum: PacketFlags { PacketFlags(rawValue: 64) }
    /// To send: insert the TCP checksum; the field holds the pseudo-header's sum.
    @inlinable public static var insertTCPChecksum: PacketFlags { PacketFlags(rawValue: 128) }
}
