import CLinuxShims

/// VFIO_USER_DEVICE_GET_INFO, request and reply: `struct vfio_device_info`. "VFIO_USER_DEVICE_GET_INFO".
///
///     0  argsz    4  flags    8  number of regions    12  number of interrupt indexes
public struct DeviceInfoMessage: Equatable, Sendable {
    public static let byteCount = 16

    /// In a request the largest reply payload that is welcome, in a reply the whole one's size.
    public var argumentByteCount: UInt32
    public var supportsReset: Bool
    public var isPCI: Bool
    public var regionCount: UInt32
    public var interruptIndexCount: UInt32

    public init(
        argumentByteCount: UInt32 = UInt32(byteCount), supportsReset: Bool = false, isPCI: Bool = false, regionCount: UInt32 = 0,
        interruptIndexCount: UInt32 = 0
    ) {
        self.argumentByteCount = argumentByteCount
        self.supportsReset = supportsReset
        self.isPCI = isPCI
        self.regionCount = regionCount
        self.interruptIndexCount = interruptIndexCount
    }

    public static func parse(_ bytes: [UInt8], descriptorCount: Int) throws(MessageError) -> DeviceInfoMessage {
        let name = Command.deviceGetInfo.name
        try requireLength(bytes, byteCount, of: name)
        guard descriptorCount == 0 else { throw .descriptors(message: name, expected: 0, actual: descriptorCount) }
        let argsz = bytes.field32(at: 0)
        guard argsz >= UInt32(byteCount) else { throw .field(message: name, name: "argsz", value: UInt64(argsz)) }
        let flags = bytes.field32(at: 4)
        return DeviceInfoMessage(
            argumentByteCount: argsz, supportsReset: flags & UInt32(VFIO_DEVICE_FLAGS_RESET) != 0,
            isPCI: flags & UInt32(VFIO_DEVICE_FLAGS_PCI) != 0, regionCount: bytes.field32(at: 8), interruptIndexCount: bytes.field32(at: 12)
        )
    }

    public func emit() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append32(argumentByteCount)
        bytes.append32((supportsReset ? UInt32(VFIO_DEVICE_FLAGS_RESET) : 0) | (isPCI ? UInt32(VFIO_DEVICE_FLAGS_PCI) : 0))
        bytes.append32(regionCount)
        bytes.append32(interruptIndexCount)
        return bytes
    }
}
