import CLinuxShims

/// VFIO_USER_DEVICE_GET_IRQ_INFO, request and reply: `struct vfio_irq_info`. "VFIO_USER_DEVICE_GET_IRQ_INFO".
///
///     0  argsz    4  flags    8  index    12  count
public struct IRQInfoMessage: Equatable, Sendable {
    public static let byteCount = 16

    /// VFIO_IRQ_INFO_*.
    public struct Flags: OptionSet, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let eventfd = Flags(rawValue: UInt32(VFIO_IRQ_INFO_EVENTFD))
        public static let maskable = Flags(rawValue: UInt32(VFIO_IRQ_INFO_MASKABLE))
        public static let automasked = Flags(rawValue: UInt32(VFIO_IRQ_INFO_AUTOMASKED))
        public static let noResize = Flags(rawValue: UInt32(VFIO_IRQ_INFO_NORESIZE))
    }

    public var argumentByteCount: UInt32
    public var flags: Flags
    public var index: UInt32
    public var count: UInt32

    public init(argumentByteCount: UInt32 = UInt32(byteCount), flags: Flags = [], index: UInt32, count: UInt32 = 0) {
        self.argumentByteCount = argumentByteCount
        self.flags = flags
        self.index = index
        self.count = count
    }

    public static func parse(_ bytes: [UInt8], descriptorCount: Int) throws(MessageError) -> IRQInfoMessage {
        let name = Command.deviceGetIRQInfo.name
        try requireLength(bytes, byteCount, of: name)
        guard descriptorCount == 0 else { throw .descriptors(message: name, expected: 0, actual: descriptorCount) }
        let argsz = bytes.field32(at: 0)
        guard argsz >= UInt32(byteCount) else { throw .field(message: name, name: "argsz", value: UInt64(argsz)) }
        return IRQInfoMessage(
            argumentByteCount: argsz, flags: Flags(rawValue: bytes.field32(at: 4)), index: bytes.field32(at: 8),
            count: bytes.field32(at: 12))
    }

    public func emit() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append32(argumentByteCount)
        bytes.append32(flags.rawValue)
        bytes.append32(index)
        bytes.append32(count)
        return bytes
    }
}
