public import NicRegisters

/// Sizes and offsets of a virtio-iommu device's structures. virtio 1.3 §5.13 "IOMMU device", quoted titles are its
/// subsections; names in capitals are symbols of linux/virtio_iommu.h. Integers are little-endian.
public enum VirtioIOMMULayout {
    // MARK: Queues. "Virtqueues"

    public static var requestQueue: Int { 0 }
    public static var eventQueue: Int { 1 }

    /// struct virtio_iommu_config. "Device configuration layout".
    public enum Config {
        public static var pageSizeMask: Int { 0 }
        public static var inputRangeStart: Int { 8 }
        public static var inputRangeEnd: Int { 16 }
        public static var domainRangeStart: Int { 24 }
        public static var domainRangeEnd: Int { 28 }
        public static var probeByteCount: Int { 32 }
        /// A byte, the only one that a driver may write; 0 or 1.
        public static var bypass: Int { 36 }
        public static var byteCount: Int { 40 }
    }

    /// `type` of struct virtio_iommu_req_head, VIRTIO_IOMMU_T_*. "Device operations".
    public enum RequestType: UInt8, Sendable, CaseIterable {
        case attach = 1
        case detach = 2
        case map = 3
        case unmap = 4
        case probe = 5

        /// Bytes of the part that the device reads.
        public var byteCount: Int {
            switch self {
            case .attach: Attach.byteCount
            case .detach: Detach.byteCount
            case .map: Map.byteCount
            case .unmap: Unmap.byteCount
            case .probe: Probe.byteCount
            }
        }
    }

    /// struct virtio_iommu_req_head. "Device operations".
    public enum Head {
        public static var type: Int { 0 }
        public static var byteCount: Int { 4 }
    }

    /// struct virtio_iommu_req_tail, the end of the part that the device writes. "Device operations".
    public enum Tail {
        public static var status: Int { 0 }
        public static var byteCount: Int { 4 }
    }

    /// struct virtio_iommu_req_attach without its tail. "ATTACH request".
    public enum Attach {
        public static var domain: Int { 4 }
        public static var endpoint: Int { 8 }
        public static var flags: Int { 12 }
        /// 4 bytes that have to be zero.
        public static var reserved: Int { 16 }
        public static var byteCount: Int { 20 }
        /// VIRTIO_IOMMU_ATTACH_F_BYPASS.
        public static var bypassFlag: UInt32 { 1 << 0 }
    }

    /// struct virtio_iommu_req_detach without its tail. "DETACH request".
    public enum Detach {
        public static var domain: Int { 4 }
        public static var endpoint: Int { 8 }
        /// 8 bytes that the device ignores.
        public static var reserved: Int { 12 }
        public static var byteCount: Int { 20 }
    }

    /// struct virtio_iommu_req_map without its tail. "MAP request".
    public enum Map {
        public static var domain: Int { 4 }
        public static var first: Int { 8 }
        public static var last: Int { 16 }
        public static var physical: Int { 24 }
        public static var flags: Int { 32 }
        public static var byteCount: Int { 36 }
        /// VIRTIO_IOMMU_MAP_F_*.
        public static var readFlag: UInt32 { 1 << 0 }
        public static var writeFlag: UInt32 { 1 << 1 }
        public static var mmioFlag: UInt32 { 1 << 2 }
    }

    /// struct virtio_iommu_req_unmap without its tail. "UNMAP request".
    public enum Unmap {
        public static var domain: Int { 4 }
        public static var first: Int { 8 }
        public static var last: Int { 16 }
        /// 4 bytes that should be zero.
        public static var reserved: Int { 24 }
        public static var byteCount: Int { 28 }
    }

    /// struct virtio_iommu_req_probe without what the device writes. "PROBE request".
    public enum Probe {
        public static var endpoint: Int { 4 }
        /// 64 bytes that the device ignores.
        public static var reserved: Int { 8 }
        public static var byteCount: Int { 72 }
    }

    /// struct virtio_iommu_probe_property: 12 bits of type, 4 reserved, then 16 bits of length without this header. "PROBE request".
    public enum Property {
        public static var type: Int { 0 }
        public static var length: Int { 2 }
        public static var byteCount: Int { 4 }
        /// VIRTIO_IOMMU_PROBE_T_RESV_MEM.
        public static var reservedMemory: UInt16 { 1 }
    }

    /// struct virtio_iommu_probe_resv_mem, its header included. "Property RESV_MEM".
    public enum ReservedMemory {
        public static var subtype: Int { 4 }
        public static var start: Int { 8 }
        public static var end: Int { 16 }
        public static var byteCount: Int { 24 }
        /// VIRTIO_IOMMU_RESV_MEM_T_*.
        public static var reserved: UInt8 { 0 }
        public static var msi: UInt8 { 1 }
    }

    /// struct virtio_iommu_fault. "Fault reporting".
    public enum Fault {
        public static var reason: Int { 0 }
        public static var flags: Int { 4 }
        public static var endpoint: Int { 8 }
        public static var address: Int { 16 }
        public static var byteCount: Int { 24 }
        /// VIRTIO_IOMMU_FAULT_F_*.
        public static var readFlag: UInt32 { 1 << 0 }
        public static var writeFlag: UInt32 { 1 << 1 }
        public static var addressFlag: UInt32 { 1 << 8 }
    }
}

/// VIRTIO_IOMMU_F_*. "Feature bits". The numbers mean other things to other kinds of devices.
extension VirtioFeatures {
    public static var iommuInputRange: Self { Self(rawValue: 1 << 0) }
    public static var iommuDomainRange: Self { Self(rawValue: 1 << 1) }
    public static var iommuMapUnmap: Self { Self(rawValue: 1 << 2) }
    /// Superseded by BYPASS_CONFIG.
    public static var iommuBypass: Self { Self(rawValue: 1 << 3) }
    public static var iommuProbe: Self { Self(rawValue: 1 << 4) }
    public static var iommuMMIO: Self { Self(rawValue: 1 << 5) }
    public static var iommuBypassConfig: Self { Self(rawValue: 1 << 6) }
}
