// The protocol's text is QEMU's docs/interop/vfio-user.rst; sections of it are cited by their headings.
// All fields are little-endian here: the text says host endianness, and the hosts are x86-64 and arm64.

/// What a message asks for. "Commands".
public enum Command: UInt16, Sendable, CaseIterable {
    case version = 1
    case dmaMap = 2
    case dmaUnmap = 3
    case deviceGetInfo = 4
    case deviceGetRegionInfo = 5
    case deviceGetRegionIOFDs = 6
    case deviceGetIRQInfo = 7
    case deviceSetIRQs = 8
    case regionRead = 9
    case regionWrite = 10
    case dmaRead = 11
    case dmaWrite = 12
    case deviceReset = 13
    case regionWriteMulti = 15
    case deviceFeature = 16
    case migrationDataRead = 17
    case migrationDataWrite = 18

    /// The name in the protocol's text.
    public var name: String {
        switch self {
        case .version: "VFIO_USER_VERSION"
        case .dmaMap: "VFIO_USER_DMA_MAP"
        case .dmaUnmap: "VFIO_USER_DMA_UNMAP"
        case .deviceGetInfo: "VFIO_USER_DEVICE_GET_INFO"
        case .deviceGetRegionInfo: "VFIO_USER_DEVICE_GET_REGION_INFO"
        case .deviceGetRegionIOFDs: "VFIO_USER_DEVICE_GET_REGION_IO_FDS"
        case .deviceGetIRQInfo: "VFIO_USER_DEVICE_GET_IRQ_INFO"
        case .deviceSetIRQs: "VFIO_USER_DEVICE_SET_IRQS"
        case .regionRead: "VFIO_USER_REGION_READ"
        case .regionWrite: "VFIO_USER_REGION_WRITE"
        case .dmaRead: "VFIO_USER_DMA_READ"
        case .dmaWrite: "VFIO_USER_DMA_WRITE"
        case .deviceReset: "VFIO_USER_DEVICE_RESET"
        case .regionWriteMulti: "VFIO_USER_REGION_WRITE_MULTI"
        case .deviceFeature: "VFIO_USER_DEVICE_FEATURE"
        case .migrationDataRead: "VFIO_USER_MIG_DATA_READ"
        case .migrationDataWrite: "VFIO_USER_MIG_DATA_WRITE"
        }
    }
}
