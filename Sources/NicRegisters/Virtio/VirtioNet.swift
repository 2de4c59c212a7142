/// The network device: its configuration, and the header in front of each frame. "Network Device".
public enum VirtioNet {
    /// Queue numbers: pair n receives on 2n and sends on 2n + 1. "Network Device / Virtqueues".
    @inlinable public static func receiveQueue(ofPair pair: Int) -> Int { 2 &* pair }
    @inlinable public static func transmitQueue(ofPair pair: Int) -> Int { 2 &* pair &+ 1 }
    /// - Parameter pairs: max_virtqueue_pairs if MQ or RSS was negotiated, else 1.
    @inlinable public static func controlQueue(pairs: Int) -> Int { 2 &* pairs }

    /// struct virtio_net_config. "Network Device / Device configuration layout". All of it is read-only.
    public enum Config {
        /// Six bytes, in the order of the wire.
        @inlinable public static var mac: Int { 0 }
        /// With STATUS: ``LinkStatus``.
        @inlinable public static var status: VirtioField<LinkStatus, ReadOnly> { .init(6) }
        /// With MQ or RSS.
        @inlinable public static var maximumPairs: VirtioField<UInt16, ReadOnly> { .init(8) }
        /// With MTU: bytes without the Ethernet header.
        @inlinable public static var mtu: VirtioField<UInt16, ReadOnly> { .init(10) }
        /// With SPEED_DUPLEX: Mb/s, all-ones for unknown.
        @inlinable public static var speed: VirtioField<UInt32, ReadOnly> { .init(12) }
        /// With SPEED_DUPLEX: 1 for full duplex, 0 for half, 0xff for unknown.
        @inlinable public static var duplex: VirtioField<UInt8, ReadOnly> { .init(16) }
        /// With RSS or HASH_REPORT: at least 40.
        @inlinable public static var rssKeyByteCount: VirtioField<UInt8, ReadOnly> { .init(17) }
        /// With RSS: entries, at least 128.
        @inlinable public static var rssTableCount: VirtioField<UInt16, ReadOnly> { .init(18) }
        /// With RSS or HASH_REPORT: ``HashTypes`` that the device knows.
        @inlinable public static var hashTypes: VirtioField<HashTypes, ReadOnly> { .init(20) }
        @inlinable public static var byteCount: Int { 24 }

        public static let rows: [VirtioFieldRow] = [
            VirtioFieldRow("status", status), VirtioFieldRow("max_virtqueue_pairs", maximumPairs), VirtioFieldRow("mtu", mtu),
            VirtioFieldRow("speed", speed), VirtioFieldRow("duplex", duplex), VirtioFieldRow("rss_max_key_size", rssKeyByteCount),
            VirtioFieldRow("rss_max_indirection_table_length", rssTableCount), VirtioFieldRow("supported_hash_types", hashTypes),
        ]
    }

    /// VIRTIO_NET_S_*.
    @frozen public struct LinkStatus: OptionSet, VirtioFieldValue {
        public var rawValue: UInt16
        @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }
        @inlinable public init(bits: UInt16) { rawValue = bits }
        @inlinable public var bits: UInt16 { rawValue }
        @inlinable public static var linkUp: Self { Self(rawValue: 1 << 0) }
        /// The driver should make itself known on the network.
        @inlinable public static var announce: Self { Self(rawValue: 1 << 1) }
    }

    /// VIRTIO_NET_HASH_TYPE_*. "Supported/enabled hash types".
    @frozen public struct HashTypes: OptionSet, VirtioFieldValue {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
        @inlinable public init(bits: UInt32) { rawValue = bits }
        @inlinable public var bits: UInt32 { rawValue }
        @inlinable public static var ipv4: Self { Self(rawValue: 1 << 0) }
        @inlinable public static var tcpv4: Self { Self(rawValue: 1 << 1) }
        @inlinable public static var udpv4: Self { Self(rawValue: 1 << 2) }
        @inlinable public static var ipv6: Self { Self(rawValue: 1 << 3) }
        @inlinable public static var tcpv6: Self { Self(rawValue: 1 << 4) }
        @inlinable public static var udpv6: Self { Self(rawValue: 1 << 5) }
    }

    /// struct virtio_net_hdr without hash fields, in front of every frame in both directions. "Device Operation". Its
    /// first 8 bytes are ``word0`` and the last 4 ``word1``.
    @frozen public struct Header: BitwiseCopyable, Sendable, Equatable {
        @inlinable public static var byteCount: Int { 12 }
        @inlinable public static var flagsOffset: Int { 0 }
        @inlinable public static var segmentationOffset: Int { 1 }
        @inlinable public static var headerByteCountOffset: Int { 2 }
        @inlinable public static var segmentByteCountOffset: Int { 4 }
        @inlinable public static var checksumStartOffset: Int { 6 }
        @inlinable public static var checksumOffsetOffset: Int { 8 }
        @inlinable public static var bufferCountOffset: Int { 10 }

        public var word0: UInt64
        public var word1: UInt32
        @inlinable public init(word0: UInt64, word1: UInt32) {
            self.word0 = word0
            self.word1 = word1
        }
        @inlinable public init(flags: HeaderFlags = [], checksumStart: UInt16 = 0, checksumOffset: UInt16 = 0, bufferCount: UInt16 = 0) {
            word0 = UInt64(flags.rawValue) | UInt64(checksumStart) &<< 48
            word1 = UInt32(checksumOffset) | UInt32(bufferCount) &<< 16
        }
        @inlinable public var flags: HeaderFlags { HeaderFlags(rawValue: UInt8(truncatingIfNeeded: word0)) }
        /// VIRTIO_NET_HDR_GSO_*; 0: an ordinary frame.
        @inlinable public var segmentation: UInt8 { UInt8(truncatingIfNeeded: word0 &>> 8) }
        @inlinable public var headerByteCount: UInt16 { UInt16(truncatingIfNeeded: word0 &>> 16) }
        @inlinable public var segmentByteCount: UInt16 { UInt16(truncatingIfNeeded: word0 &>> 32) }
        /// Where the checksummed part begins, from the start of the frame.
        @inlinable public var checksumStart: UInt16 { UInt16(truncatingIfNeeded: word0 &>> 48) }
        /// Where the checksum goes, from `checksumStart`.
        @inlinable public var checksumOffset: UInt16 { UInt16(truncatingIfNeeded: word1) }
        /// Buffers of a received frame; 0 in one that is sent.
        @inlinable public var bufferCount: UInt16 { UInt16(truncatingIfNeeded: word1 &>> 16) }
    }

    /// VIRTIO_NET_HDR_F_*.
    @frozen public struct HeaderFlags: OptionSet, BitwiseCopyable, Sendable, Equatable {
        public var rawValue: UInt8
        @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
        @inlinable public static var needsChecksum: Self { Self(rawValue: 1 << 0) }
        @inlinable public static var dataValid: Self { Self(rawValue: 1 << 1) }
    }
}
