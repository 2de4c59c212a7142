/// What virtio 1.x devices on PCI have in common: ids, capabilities, the common configuration, rings. Shared by drivers
/// and device models.
///
/// Quoted titles are sections of the OASIS specification "Virtual I/O Device (VIRTIO)", versions 1.2 and later, whose
/// text is the repository oasis-tcs/virtio-spec; names in capitals are symbols of linux/virtio_pci.h, virtio_config.h,
/// virtio_ring.h or virtio_net.h. See docs/families/virtio-net.md.
public enum Virtio {
    /// "PCI Device Discovery".
    public enum PCI {
        @inlinable public static var vendor: UInt16 { 0x1af4 }
        /// A modern device's PCI id is this plus its virtio device id.
        @inlinable public static var modernDeviceBase: UInt16 { 0x1040 }
        /// Network device: virtio device id 1, "Network Device / Device ID".
        @inlinable public static var networkDevice: UInt16 { modernDeviceBase + 1 }
        /// IOMMU device: virtio device id 23, "IOMMU Device / Device ID".
        @inlinable public static var iommuDevice: UInt16 { modernDeviceBase + 23 }
        /// Devices that are not transitional have at least these, so that legacy drivers leave them alone.
        @inlinable public static var minimumRevision: UInt8 { 1 }
        @inlinable public static var minimumSubsystemDevice: UInt16 { 0x40 }
    }

    /// Value that leaves an event without an MSI-X vector. VIRTIO_MSI_NO_VECTOR, "MSI-X Vector Configuration".
    @inlinable public static var noVector: UInt16 { 0xffff }

    /// struct virtio_pci_cap, "Virtio Structure PCI Capabilities": offsets in configuration space from the capability's
    /// start. VIRTIO_PCI_CAP_*.
    public enum Capability {
        /// Capability id: vendor-specific.
        @inlinable public static var id: UInt8 { 0x09 }
        /// Length of the capability, extra data included (8 bits).
        @inlinable public static var lengthOffset: Int { 2 }
        /// Which structure it tells of (8 bits): ``StructureKind``.
        @inlinable public static var kindOffset: Int { 3 }
        /// BAR, 0 to 5 (8 bits); others are reserved.
        @inlinable public static var barOffset: Int { 4 }
        /// Where the structure starts in the BAR (32 bits).
        @inlinable public static var structureOffset: Int { 8 }
        /// How long it is (32 bits).
        @inlinable public static var structureLength: Int { 12 }
        @inlinable public static var byteCount: Int { 16 }

        /// Notification capability only: bytes from one queue's address to the next a unit of queue_notify_off (32 bits).
        /// VIRTIO_PCI_NOTIFY_CAP_MULT.
        @inlinable public static var notifyMultiplier: Int { 16 }
        @inlinable public static var notifyByteCount: Int { 20 }

        /// PCI configuration access capability only: the window into the BAR (up to 4 bytes). struct virtio_pci_cfg_cap.
        @inlinable public static var accessData: Int { 16 }
        @inlinable public static var accessByteCount: Int { 20 }
    }

    /// cfg_type of a capability. VIRTIO_PCI_CAP_*_CFG.
    public enum StructureKind: UInt8, Sendable, CaseIterable {
        case common = 1
        case notifications = 2
        case interruptStatus = 3
        case deviceConfig = 4
        case configAccess = 5
        case sharedMemory = 8
        case vendor = 9
    }

    /// The interrupt status byte: a read clears it. "ISR status capability".
    @frozen public struct InterruptStatus: OptionSet, VirtioFieldValue {
        public var rawValue: UInt8
        @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
        @inlinable public init(bits: UInt8) { rawValue = bits }
        @inlinable public var bits: UInt8 { rawValue }
        @inlinable public static var queue: Self { Self(rawValue: 1 << 0) }
        /// VIRTIO_PCI_ISR_CONFIG.
        @inlinable public static var configuration: Self { Self(rawValue: 1 << 1) }
    }

    /// The largest queue: 2^15. "Split Virtqueues", "Packed Virtqueues".
    @inlinable public static var maximumQueueSize: Int { 32768 }

    /// Whether an event at ring index `event` was passed by going from `old` to `new`, all modulo 2^16: then the other side
    /// wants to be told. vring_need_event.
    @inlinable @inline(__always) public static func isEventDue(_ event: UInt16, old: UInt16, new: UInt16) -> Bool {
        new &- event &- 1 < new &- old
    }
}
