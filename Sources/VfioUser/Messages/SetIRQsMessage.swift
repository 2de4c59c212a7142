import CLinuxShims

/// VFIO_USER_DEVICE_SET_IRQS's request: `struct vfio_irq_set`; the reply is empty. "VFIO_USER_DEVICE_SET_IRQS".
///
///     0  argsz    4  flags    8  index    12  start    16  count    20  one byte a vector, with DATA_BOOL only
public struct SetIRQsMessage: Equatable, Sendable {
    public static let fixedByteCount = 20
    /// MSI-X has at most 2048 vectors (PCI Local Bus 3.0 §6.8.2.3).
    public static let maximumVectors: UInt32 = 2048

    public enum Action: UInt32, Sendable, CaseIterable { case mask = 8, unmask = 16, trigger = 32 }

    public enum Data: Equatable, Sendable {
        /// All vectors of the range.
        case none
        /// Those whose byte is not zero.
        case booleans([Bool])
        /// As many descriptors as vectors came along, or none: then the vectors lose theirs.
        case eventfds(descriptorCount: Int)
    }

    public var action: Action
    public var data: Data
    public var index: UInt32
    public var start: UInt32
    public var count: UInt32

    public init(action: Action, data: Data, index: UInt32, start: UInt32, count: UInt32) {
        self.action = action
        self.data = data
        self.index = index
        self.start = start
        self.count = count
    }

    public static func parse(_ bytes: [UInt8], descriptorCount: Int) throws(MessageError) -> SetIRQsMessage {
        let name = Command.deviceSetIRQs.name
        guard bytes.count >= fixedByteCount else { throw .length(message: name, expected: fixedByteCount, actual: bytes.count) }
        let argsz = bytes.field32(at: 0)
        guard argsz >= UInt32(fixedByteCount) else { throw .field(message: name, name: "argsz", value: UInt64(argsz)) }
        let flags = bytes.field32(at: 4)
        guard let action = Action(rawValue: flags & ~7) else { throw .field(message: name, name: "flags", value: UInt64(flags)) }
        let count = bytes.field32(at: 16)
        guard count <= maximumVectors else { throw .field(message: name, name: "count", value: UInt64(count)) }
        let data: Data
        switch flags & 7 {
        case UInt32(VFIO_IRQ_SET_DATA_NONE): data = .none
        case UInt32(VFIO_IRQ_SET_DATA_BOOL): data = .booleans(bytes.dropFirst(fixedByteCount).map { $0 != 0 })
        case UInt32(VFIO_IRQ_SET_DATA_EVENTFD): data = .eventfds(descriptorCount: descriptorCount)
        default: throw .field(message: name, name: "flags", value: UInt64(flags))
        }
        var expectedByteCount = fixedByteCount
        if case .booleans = data { expectedByteCount += Int(count) }
        try requireLength(bytes, expectedByteCount, of: name)
        var expectedDescriptors = 0
        if case .eventfds = data, descriptorCount != 0 { expectedDescriptors = Int(count) }
        guard descriptorCount == expectedDescriptors else {
            throw .descriptors(message: name, expected: expectedDescriptors, actual: descriptorCount)
        }
        return SetIRQsMessage(action: action, data: data, index: bytes.field32(at: 8), start: bytes.field32(at: 12), count: count)
    }

    public func emit() -> [UInt8] {
        let booleans: [UInt8]
        let dataFlag: Int32
        switch data {
        case .none: (booleans, dataFlag) = ([], VFIO_IRQ_SET_DATA_NONE)
        case .booleans(let values): (booleans, dataFlag) = (values.map { $0 ? 1 : 0 }, VFIO_IRQ_SET_DATA_BOOL)
        case .eventfds: (booleans, dataFlag) = ([], VFIO_IRQ_SET_DATA_EVENTFD)
        }
        var bytes: [UInt8] = []
        bytes.append32(UInt32(SetIRQsMessage.fixedByteCount + booleans.count))
        bytes.append32(UInt32(dataFlag) | action.rawValue)
        bytes.append32(index)
        bytes.append32(start)
        bytes.append32(count)
        return bytes + booleans
    }
}
