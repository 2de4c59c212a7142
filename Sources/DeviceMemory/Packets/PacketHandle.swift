/// A packet as one word, for rings and batches: no reference, no allocation. Whoever holds it owns the buffer.
///
///     bits  0–15  bytes in the buffer
///     bits 16–35  buffer index in its pool
///     bits 36–41  ``PacketFlags``: received checks, insertions asked for
///     bits 42–48  link header length for checksum insertion, bytes
///     bits 49–56  network header length for checksum insertion, bytes
///     bits 61–62  ``PacketFlags``: received errors
///     bit  63     some checksum is to be inserted
@frozen public struct PacketHandle: BitwiseCopyable, Sendable {
    public var word: UInt64
    @inlinable public init(word: UInt64) { self.word = word }
    @inlinable public init(index: UInt32, byteCount: UInt32) {
        word = UInt64(byteCount & 0xffff) | UInt64(index & 0xf_ffff) &<< 16
    }

    /// Buffers that a pool can have.
    @inlinable public static var maximumIndexCount: Int { 1 &<< 20 }
    /// What a checksum context depends on: insertions and header lengths.
    @inlinable public static var contextMask: UInt64 { 0x01ff_ff80_0000_0000 }

    @inlinable public var byteCount: UInt32 { UInt32(truncatingIfNeeded: word & 0xffff) }
    @inlinable public var index: UInt32 { UInt32(truncatingIfNeeded: word &>> 16) & 0xf_ffff }
    @inlinable public var flags: PacketFlags { PacketFlags(rawValue: word & PacketFlags.all.rawValue) }
    @inlinable public var asksForChecksums: Bool { word &>> 63 != 0 }
    @inlinable public var linkHeaderByteCount: Int { Int(truncatingIfNeeded: word &>> 42 & 0x7f) }
    @inlinable public var networkHeaderByteCount: Int { Int(truncatingIfNeeded: word &>> 49 & 0xff) }

    /// The same packet with checksums to insert.
    /// - Parameters: header lengths in bytes, link below 128, network below 256.
    @inlinable public func asking(for flags: PacketFlags, linkHeaderByteCount link: Int, networkHeaderByteCount network: Int)
        -> PacketHandle
    {
        let insertions = flags.intersection(.insertions).rawValue
        let lengths = UInt64(truncatingIfNeeded: link & 0x7f) &<< 42 | UInt64(truncatingIfNeeded: network & 0xff) &<< 49
        return PacketHandle(word: word & 0xf_ffff_ffff | insertions | lengths | (insertions == 0 ? 0 : 1 &<< 63))
    }
}

/// What the NIC found in a received packet's checksums, or shall insert into a sent one. Bits are a ``PacketHandle``'s; the
/// received ones keep the distances that they have in an extended descriptor of the 82574L, so that one shift moves them.
@frozen public struct PacketFlags: OptionSet, BitwiseCopyable, Sendable {
    public let rawValue: UInt64
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// Received: the NIC checked the UDP checksum.
    @inlinable public static var udpChecksumChecked: PacketFlags { PacketFlags(rawValue: 1 &<< 36) }
    /// Received: the NIC checked the TCP checksum.
    @inlinable public static var tcpChecksumChecked: PacketFlags { PacketFlags(rawValue: 1 &<< 37) }
    /// Received: the NIC checked the IPv4 header's checksum.
    @inlinable public static var ipChecksumChecked: PacketFlags { PacketFlags(rawValue: 1 &<< 38) }
    /// Received: the TCP or UDP checksum was wrong.
    @inlinable public static var transportChecksumBad: PacketFlags { PacketFlags(rawValue: 1 &<< 61) }
    /// Received: the IPv4 header's checksum was wrong.
    @inlinable public static var ipChecksumBad: PacketFlags { PacketFlags(rawValue: 1 &<< 62) }
    /// To send: insert the IPv4 header's checksum; the field holds zero.
    @inlinable public static var insertIPChecksum: PacketFlags { PacketFlags(rawValue: 1 &<< 39) }
    /// To send: insert the UDP checksum; the field holds the pseudo-header's sum.
    @inlinable public static var insertUDPChecksum: PacketFlags { PacketFlags(rawValue: 1 &<< 40) }
    /// To send: insert the TCP checksum; the field holds the pseudo-header's sum.
    @inlinable public static var insertTCPChecksum: PacketFlags { PacketFlags(rawValue: 1 &<< 41) }
    /// The three insertions.
    @inlinable public static var insertions: PacketFlags { PacketFlags(rawValue: 7 &<< 39) }
    /// Every flag.
    @inlinable public static var all: PacketFlags { PacketFlags(rawValue: 0x3f &<< 36 | 3 &<< 61) }
}
