/// Offsets and values of virtio 1.x over PCI that the driver uses. Each names its symbol in linux/virtio_pci.h,
/// linux/virtio_config.h, linux/virtio_ring.h or linux/virtio_net.h.
enum Virtio {
    /// PCI_CAP_ID_VNDR, linux/pci_regs.h.
    static var vendorCapability: UInt32 { 0x09 }
    /// VIRTIO_MSI_NO_VECTOR.
    static var noVector: UInt16 { 0xffff }

    /// struct virtio_pci_common_cfg; VIRTIO_PCI_COMMON_*.
    enum Common {
        static var deviceFeatureSelect: Int { 0 }
        static var deviceFeature: Int { 4 }
        static var driverFeatureSelect: Int { 8 }
        static var driverFeature: Int { 12 }
        static var configVector: Int { 16 }
        static var queueCount: Int { 18 }
        static var deviceStatus: Int { 20 }
        static var configGeneration: Int { 21 }
        static var queueSelect: Int { 22 }
        static var queueSize: Int { 24 }
        static var queueVector: Int { 26 }
        static var queueEnable: Int { 28 }
        static var queueNotifyOffset: Int { 30 }
        static var queueDescriptors: Int { 32 }
        static var queueDriver: Int { 40 }
        static var queueDevice: Int { 48 }
        static var byteCount: Int { 56 }
    }

    /// struct virtio_net_config.
    enum NetConfig {
        static var mac: Int { 0 }
        static var status: Int { 6 }
        static var maximumPairs: Int { 8 }
        static var mtu: Int { 10 }
        static var rssKeySize: Int { 17 }
        static var rssTableLength: Int { 18 }
        static var rssHashTypes: Int { 20 }
        /// VIRTIO_NET_S_LINK_UP.
        static var linkUp: UInt16 { 1 }
    }

    /// struct virtio_net_hdr_v1.
    enum Header {
        static var byteCount: Int { 12 }
        /// `flags`, and `gso_type` in the upper byte.
        static var flags: Int { 0 }
        static var checksumStart: Int { 6 }
        static var checksumOffset: Int { 8 }
        static var bufferCount: Int { 10 }
        /// VIRTIO_NET_HDR_F_NEEDS_CSUM.
        static var needsChecksum: UInt16 { 1 }
        /// VIRTIO_NET_HDR_F_DATA_VALID.
        static var dataValid: UInt16 { 2 }
        static var segmentationMask: UInt16 { 0xff00 }
    }

    /// Flags of descriptors: VRING_DESC_F_*, VRING_PACKED_DESC_F_*.
    enum DescriptorFlags {
        static var next: UInt64 { 1 }
        static var write: UInt64 { 2 }
        static var available: UInt64 { 1 << 7 }
        static var used: UInt64 { 1 << 15 }
    }

    /// VRING_AVAIL_F_NO_INTERRUPT, VRING_USED_F_NO_NOTIFY.
    static var suppress: UInt16 { 1 }

    /// VRING_PACKED_EVENT_FLAG_*.
    enum PackedEvent {
        static var enable: UInt32 { 0 }
        static var disable: UInt32 { 1 }
        static var descriptor: UInt32 { 2 }
    }

    /// Commands of the control queue: class and number, VIRTIO_NET_CTRL_*.
    enum Control {
        static var promiscuous: [UInt8] { [0, 0] }
        static var allMulticast: [UInt8] { [0, 1] }
        static var setMACTable: [UInt8] { [1, 0] }
        static var setQueuePairs: [UInt8] { [4, 0] }
        static var setRSS: [UInt8] { [4, 1] }
        /// VIRTIO_NET_OK.
        static var ok: UInt8 { 0 }
    }
}

/// Device status, VIRTIO_CONFIG_S_*.
struct VirtioStatus: OptionSet {
    let rawValue: UInt8
    static var acknowledge: VirtioStatus { VirtioStatus(rawValue: 1) }
    static var driver: VirtioStatus { VirtioStatus(rawValue: 2) }
    static var driverOK: VirtioStatus { VirtioStatus(rawValue: 4) }
    static var featuresOK: VirtioStatus { VirtioStatus(rawValue: 8) }
    static var needsReset: VirtioStatus { VirtioStatus(rawValue: 0x40) }
    static var failed: VirtioStatus { VirtioStatus(rawValue: 0x80) }
}

/// Feature bits, VIRTIO_F_*, VIRTIO_RING_F_* and VIRTIO_NET_F_*.
struct VirtioFeatures: OptionSet {
    let rawValue: UInt64
    private static func bit(_ number: UInt64) -> VirtioFeatures { VirtioFeatures(rawValue: 1 << number) }
    static var checksum: VirtioFeatures { bit(0) }
    static var guestChecksum: VirtioFeatures { bit(1) }
    static var mtu: VirtioFeatures { bit(3) }
    static var mac: VirtioFeatures { bit(5) }
    static var mergeableBuffers: VirtioFeatures { bit(15) }
    static var status: VirtioFeatures { bit(16) }
    static var controlQueue: VirtioFeatures { bit(17) }
    static var controlReceive: VirtioFeatures { bit(18) }
    static var multiqueue: VirtioFeatures { bit(22) }
    static var eventIndex: VirtioFeatures { bit(29) }
    static var version1: VirtioFeatures { bit(32) }
    static var accessPlatform: VirtioFeatures { bit(33) }
    static var ringPacked: VirtioFeatures { bit(34) }
    static var orderPlatform: VirtioFeatures { bit(36) }
    static var rss: VirtioFeatures { bit(60) }
}
