/// Feature bits 0 to 63 of a virtio network device. "Network Device / Feature bits", "Reserved Feature Bits";
/// VIRTIO_NET_F_*, VIRTIO_RING_F_*, VIRTIO_F_*.
@frozen
public struct VirtioFeatures: OptionSet, BitwiseCopyable, Sendable, Equatable {
    public var rawValue: UInt64
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable static func bit(_ number: UInt64) -> Self { Self(rawValue: 1 &<< number) }

    // Network device.

    /// CSUM: the device fills in checksums of frames that it sends.
    @inlinable public static var checksum: Self { bit(0) }
    /// GUEST_CSUM: the driver takes frames whose checksum is partial, or marked as checked.
    @inlinable public static var guestChecksum: Self { bit(1) }
    /// CTRL_GUEST_OFFLOADS: offloads of the receive side can be changed later.
    @inlinable public static var controlGuestOffloads: Self { bit(2) }
    @inlinable public static var mtu: Self { bit(3) }
    @inlinable public static var mac: Self { bit(5) }
    @inlinable public static var guestTSO4: Self { bit(7) }
    @inlinable public static var guestTSO6: Self { bit(8) }
    @inlinable public static var guestECN: Self { bit(9) }
    @inlinable public static var guestUFO: Self { bit(10) }
    @inlinable public static var hostTSO4: Self { bit(11) }
    @inlinable public static var hostTSO6: Self { bit(12) }
    @inlinable public static var hostECN: Self { bit(13) }
    @inlinable public static var hostUFO: Self { bit(14) }
    /// MRG_RXBUF: a received frame may lie in several buffers.
    @inlinable public static var mergeableBuffers: Self { bit(15) }
    /// STATUS: the configuration has a link state.
    @inlinable public static var status: Self { bit(16) }
    /// CTRL_VQ.
    @inlinable public static var controlQueue: Self { bit(17) }
    /// CTRL_RX: promiscuous, all-multicast and the address table.
    @inlinable public static var controlReceive: Self { bit(18) }
    @inlinable public static var controlVLAN: Self { bit(19) }
    /// CTRL_RX_EXTRA: all-unicast, and no multicast, unicast, broadcast.
    @inlinable public static var controlReceiveExtra: Self { bit(20) }
    /// GUEST_ANNOUNCE: the device may ask the driver to make itself known on the network.
    @inlinable public static var guestAnnounce: Self { bit(21) }
    /// MQ: several queue pairs, with steering by the device.
    @inlinable public static var multiqueue: Self { bit(22) }
    /// CTRL_MAC_ADDR: the address can be set by a command.
    @inlinable public static var controlMACAddress: Self { bit(23) }
    /// NOTF_COAL.
    @inlinable public static var notificationCoalescing: Self { bit(53) }
    @inlinable public static var hashReport: Self { bit(57) }
    /// RSS: several queue pairs, with steering by a hash and a table of the driver's.
    @inlinable public static var rss: Self { bit(60) }
    @inlinable public static var standby: Self { bit(62) }
    @inlinable public static var speedDuplex: Self { bit(63) }

    // Rings and transport.

    /// INDIRECT_DESC.
    @inlinable public static var indirectDescriptors: Self { bit(28) }
    /// EVENT_IDX.
    @inlinable public static var eventIndex: Self { bit(29) }
    /// VERSION_1: not a legacy device.
    @inlinable public static var version1: Self { bit(32) }
    /// ACCESS_PLATFORM: addresses in rings are IOVAs.
    @inlinable public static var accessPlatform: Self { bit(33) }
    @inlinable public static var ringPacked: Self { bit(34) }
    @inlinable public static var inOrder: Self { bit(35) }
    /// ORDER_PLATFORM: the driver needs a real device's barriers.
    @inlinable public static var orderPlatform: Self { bit(36) }
    @inlinable public static var sriov: Self { bit(37) }
    /// NOTIFICATION_DATA: notifications are 32 bits and say how far the ring is filled.
    @inlinable public static var notificationData: Self { bit(38) }
    /// NOTIF_CONFIG_DATA: notifications carry queue_notify_data instead of the queue's number.
    @inlinable public static var notificationConfigData: Self { bit(39) }
    /// RING_RESET: a queue can be reset alone.
    @inlinable public static var ringReset: Self { bit(40) }

    public static let namedFlags: [(name: String, flag: Self)] = [
        ("CSUM", .checksum), ("GUEST_CSUM", .guestChecksum), ("CTRL_GUEST_OFFLOADS", .controlGuestOffloads), ("MTU", .mtu), ("MAC", .mac),
        ("GUEST_TSO4", .guestTSO4), ("GUEST_TSO6", .guestTSO6), ("GUEST_ECN", .guestECN), ("GUEST_UFO", .guestUFO),
        ("HOST_TSO4", .hostTSO4), ("HOST_TSO6", .hostTSO6), ("HOST_ECN", .hostECN), ("HOST_UFO", .hostUFO),
        ("MRG_RXBUF", .mergeableBuffers), ("STATUS", .status), ("CTRL_VQ", .controlQueue), ("CTRL_RX", .controlReceive),
        ("CTRL_VLAN", .controlVLAN), ("CTRL_RX_EXTRA", .controlReceiveExtra), ("GUEST_ANNOUNCE", .guestAnnounce), ("MQ", .multiqueue),
        ("CTRL_MAC_ADDR", .controlMACAddress), ("NOTF_COAL", .notificationCoalescing), ("HASH_REPORT", .hashReport), ("RSS", .rss),
        ("STANDBY", .standby), ("SPEED_DUPLEX", .speedDuplex), ("INDIRECT_DESC", .indirectDescriptors), ("EVENT_IDX", .eventIndex),
        ("VERSION_1", .version1), ("ACCESS_PLATFORM", .accessPlatform), ("RING_PACKED", .ringPacked), ("IN_ORDER", .inOrder),
        ("ORDER_PLATFORM", .orderPlatform), ("SR_IOV", .sriov), ("NOTIFICATION_DATA", .notificationData),
        ("NOTIF_CONFIG_DATA", .notificationConfigData), ("RING_RESET", .ringReset),
    ]

    /// What each feature needs, of the ones above. "Feature bit requirements".
    public static let requirements: [(feature: Self, needsAnyOf: Self)] = [
        (.guestTSO4, .guestChecksum), (.guestTSO6, .guestChecksum), (.guestECN, [.guestTSO4, .guestTSO6]), (.guestUFO, .guestChecksum),
        (.hostTSO4, .checksum), (.hostTSO6, .checksum), (.hostECN, [.hostTSO4, .hostTSO6]), (.hostUFO, .checksum),
        (.controlReceive, .controlQueue), (.controlVLAN, .controlQueue), (.guestAnnounce, .controlQueue), (.multiqueue, .controlQueue),
        (.controlMACAddress, .controlQueue), (.notificationCoalescing, .controlQueue), (.rss, .controlQueue),
    ]

    /// Whether every feature of the set has what it needs.
    public var isConsistent: Bool {
        Self.requirements.allSatisfy { !contains($0.feature) || !isDisjoint(with: $0.needsAnyOf) }
    }

    /// Names of the bits, for people; bits without one as numbers.
    public var summary: String {
        (0..<64).filter { contains(.bit($0)) }.map { number in
            Self.namedFlags.first { $0.flag == .bit(number) }?.name ?? "bit \(number)"
        }.joined(separator: " ")
    }
}
