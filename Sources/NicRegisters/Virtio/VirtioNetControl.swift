extension VirtioNet {
    /// A command of the control queue: two bytes, then data that the device reads, then ``Acknowledgement`` that it writes.
    /// "Control Virtqueue", VIRTIO_NET_CTRL_*.
    @frozen public struct Command: Hashable, BitwiseCopyable, Sendable {
        public let classCode: UInt8
        public let number: UInt8
        @inlinable public init(class classCode: UInt8, _ number: UInt8) {
            self.classCode = classCode
            self.number = number
        }
        public var bytes: [UInt8] { [classCode, number] }
        @inlinable public static var byteCount: Int { 2 }

        // Class RX: one byte, 0 off or 1 on.
        @inlinable public static var promiscuous: Self { Self(class: 0, 0) }
        @inlinable public static var allMulticast: Self { Self(class: 0, 1) }
        @inlinable public static var allUnicast: Self { Self(class: 0, 2) }
        @inlinable public static var noMulticast: Self { Self(class: 0, 3) }
        @inlinable public static var noUnicast: Self { Self(class: 0, 4) }
        @inlinable public static var noBroadcast: Self { Self(class: 0, 5) }

        // Class MAC.
        /// Two tables, unicast and multicast: a 32-bit count and so many addresses of 6 bytes each.
        @inlinable public static var setMACTable: Self { Self(class: 1, 0) }
        /// 6 bytes.
        @inlinable public static var setMACAddress: Self { Self(class: 1, 1) }

        // Class VLAN: a 16-bit id.
        @inlinable public static var addVLAN: Self { Self(class: 2, 0) }
        @inlinable public static var deleteVLAN: Self { Self(class: 2, 1) }

        // Class ANNOUNCE.
        @inlinable public static var acknowledgeAnnouncement: Self { Self(class: 3, 0) }

        // Class MQ.
        /// 16 bits: how many queue pairs are used.
        @inlinable public static var setQueuePairs: Self { Self(class: 4, 0) }
        /// ``RSSConfig``.
        @inlinable public static var setRSS: Self { Self(class: 4, 1) }
        @inlinable public static var setHash: Self { Self(class: 4, 2) }

        // Class GUEST_OFFLOADS: 64 bits of features.
        @inlinable public static var setGuestOffloads: Self { Self(class: 5, 0) }
    }

    /// VIRTIO_NET_OK, VIRTIO_NET_ERR.
    @frozen public enum Acknowledgement: UInt8, Sendable {
        case ok = 0
        case error = 1
    }

    /// struct virtio_net_rss_config. "Setting RSS parameters". After the fixed fields: `indirection_table_mask` + 1 words of
    /// 16 bits, max_tx_vq (16), the key's length (8) and the key.
    public enum RSSConfig {
        @inlinable public static var hashTypes: VirtioField<HashTypes, ReadWrite> { .init(0) }
        /// Entries of the table less one.
        @inlinable public static var tableMask: VirtioField<UInt16, ReadWrite> { .init(4) }
        /// Pair (receive queue's number without its lowest bit) of frames without a hash.
        @inlinable public static var unclassifiedQueue: VirtioField<UInt16, ReadWrite> { .init(6) }
        /// Pairs.
        @inlinable public static var table: Int { 8 }
        @inlinable public static func maximumTransmitQueue(tableCount: Int) -> Int { 8 &+ 2 &* tableCount }
        @inlinable public static func keyByteCount(tableCount: Int) -> Int { 10 &+ 2 &* tableCount }
        @inlinable public static func key(tableCount: Int) -> Int { 11 &+ 2 &* tableCount }
        /// What a device has to take at least.
        @inlinable public static var minimumKeyByteCount: Int { 40 }
        @inlinable public static var minimumTableCount: Int { 128 }

        public static let rows: [VirtioFieldRow] = [
            VirtioFieldRow("hash_types", hashTypes), VirtioFieldRow("indirection_table_mask", tableMask),
            VirtioFieldRow("unclassified_queue", unclassifiedQueue),
        ]
    }
}
