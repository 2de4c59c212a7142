/// Device status. "Device Status Field", VIRTIO_CONFIG_S_*.
@frozen
public struct VirtioStatus: OptionSet, VirtioFieldValue {
    public var rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
    @inlinable public init(bits: UInt8) { rawValue = bits }
    @inlinable public var bits: UInt8 { rawValue }

    /// The driver has seen the device.
    @inlinable public static var acknowledge: Self { Self(rawValue: 1 << 0) }
    /// The driver knows how to drive it.
    @inlinable public static var driver: Self { Self(rawValue: 1 << 1) }
    /// The driver is ready: the device may work.
    @inlinable public static var driverOK: Self { Self(rawValue: 1 << 2) }
    /// Features are negotiated; a device that refuses them leaves the bit clear.
    @inlinable public static var featuresOK: Self { Self(rawValue: 1 << 3) }
    /// The device met an error that only a reset ends.
    @inlinable public static var needsReset: Self { Self(rawValue: 1 << 6) }
    /// The driver gave up.
    @inlinable public static var failed: Self { Self(rawValue: 1 << 7) }

    public static var namedFlags: [(name: String, flag: Self)] {
        [
            ("ACKNOWLEDGE", .acknowledge), ("DRIVER", .driver), ("DRIVER_OK", .driverOK), ("FEATURES_OK", .featuresOK),
            ("DEVICE_NEEDS_RESET", .needsReset), ("FAILED", .failed),
        ]
    }
}

extension Virtio {
    /// struct virtio_pci_common_cfg. "Common configuration structure layout".
    public enum Common {
        /// Which 32 feature bits ``deviceFeature`` shows.
        @inlinable public static var deviceFeatureSelect: VirtioField<UInt32, ReadWrite> { .init(0) }
        @inlinable public static var deviceFeature: VirtioField<UInt32, ReadOnly> { .init(4) }
        /// Which 32 feature bits ``driverFeature`` shows.
        @inlinable public static var driverFeatureSelect: VirtioField<UInt32, ReadWrite> { .init(8) }
        @inlinable public static var driverFeature: VirtioField<UInt32, ReadWrite> { .init(12) }
        /// MSI-X vector of configuration changes.
        @inlinable public static var configVector: VirtioField<UInt16, ReadWrite> { .init(16) }
        @inlinable public static var queueCount: VirtioField<UInt16, ReadOnly> { .init(18) }
        /// Writing 0 resets the device; it reads 0 when that is done.
        @inlinable public static var deviceStatus: VirtioField<VirtioStatus, ReadWrite> { .init(20) }
        @inlinable public static var configGeneration: VirtioField<UInt8, ReadOnly> { .init(21) }
        /// Which queue the fields below are of.
        @inlinable public static var queueSelect: VirtioField<UInt16, ReadWrite> { .init(22) }
        /// The largest size until the driver writes a smaller one; 0: there is no such queue.
        @inlinable public static var queueSize: VirtioField<UInt16, ReadWrite> { .init(24) }
        @inlinable public static var queueVector: VirtioField<UInt16, ReadWrite> { .init(26) }
        @inlinable public static var queueEnable: VirtioField<UInt16, ReadWrite> { .init(28) }
        /// In units of the notification capability's multiplier.
        @inlinable public static var queueNotifyOffset: VirtioField<UInt16, ReadOnly> { .init(30) }
        /// Descriptor table or ring.
        @inlinable public static var queueDescriptors: VirtioField<UInt64, ReadWrite> { .init(32) }
        /// Available ring, or the driver's event suppression.
        @inlinable public static var queueDriver: VirtioField<UInt64, ReadWrite> { .init(40) }
        /// Used ring, or the device's event suppression.
        @inlinable public static var queueDevice: VirtioField<UInt64, ReadWrite> { .init(48) }
        /// Only with VIRTIO_F_NOTIF_CONFIG_DATA. VIRTIO_PCI_COMMON_Q_NDATA.
        @inlinable public static var queueNotifyData: VirtioField<UInt16, ReadOnly> { .init(56) }
        /// Only with VIRTIO_F_RING_RESET. VIRTIO_PCI_COMMON_Q_RESET.
        @inlinable public static var queueReset: VirtioField<UInt16, ReadWrite> { .init(58) }

        /// Bytes of the fields that every device has.
        @inlinable public static var byteCount: Int { 56 }
        /// Bytes with the fields of later features.
        @inlinable public static var fullByteCount: Int { 60 }

        public static let rows: [VirtioFieldRow] = [
            VirtioFieldRow("device_feature_select", deviceFeatureSelect),
            VirtioFieldRow("device_feature", deviceFeature),
            VirtioFieldRow("driver_feature_select", driverFeatureSelect),
            VirtioFieldRow("driver_feature", driverFeature),
            VirtioFieldRow("config_msix_vector", configVector),
            VirtioFieldRow("num_queues", queueCount),
            VirtioFieldRow("device_status", deviceStatus),
            VirtioFieldRow("config_generation", configGeneration),
            VirtioFieldRow("queue_select", queueSelect),
            VirtioFieldRow("queue_size", queueSize),
            VirtioFieldRow("queue_msix_vector", queueVector),
            VirtioFieldRow("queue_enable", queueEnable),
            VirtioFieldRow("queue_notify_off", queueNotifyOffset),
            VirtioFieldRow("queue_desc", queueDescriptors),
            VirtioFieldRow("queue_driver", queueDriver),
            VirtioFieldRow("queue_device", queueDevice),
            VirtioFieldRow("queue_notify_data", queueNotifyData),
            VirtioFieldRow("queue_reset", queueReset),
        ]
    }
}
