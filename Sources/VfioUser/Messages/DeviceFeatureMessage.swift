/// VFIO_USER_DEVICE_FEATURE, request and reply: `struct vfio_device_feature`. "VFIO_USER_DEVICE_FEATURE".
///
///     0  argsz    4  flags (0–15 feature, 16 get, 17 set, 18 probe)    8  data
public struct DeviceFeatureMessage: Equatable, Sendable {
    static let headByteCount = 8

    /// "Device Features".
    public enum Feature: UInt16, Sendable, CaseIterable {
        case migration = 1
        case migrationState = 2
        case loggingStart = 6
        case loggingStop = 7
        case loggingReport = 8
    }

    public struct Action: OptionSet, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let get = Action(rawValue: 1 << 16)
        public static let set = Action(rawValue: 1 << 17)
        public static let probe = Action(rawValue: 1 << 18)
    }

    public var argumentByteCount: UInt32
    /// As sent: one that nobody knows is answered too.
    public var feature: UInt16
    public var action: Action
    public var data: [UInt8]

    public init(argumentByteCount: UInt32, feature: UInt16, action: Action, data: [UInt8] = []) {
        self.argumentByteCount = argumentByteCount
        self.feature = feature
        self.action = action
        self.data = data
    }

    public static func parse(_ bytes: [UInt8], descriptorCount: Int) throws(MessageError) -> DeviceFeatureMessage {
        let name = Command.deviceFeature.name
        guard bytes.count >= headByteCount else { throw .length(message: name, expected: headByteCount, actual: bytes.count) }
        guard descriptorCount == 0 else { throw .descriptors(message: name, expected: 0, actual: descriptorCount) }
        try requireArgumentSize(bytes, headByteCount, of: name)
        let flags = bytes.field32(at: 4)
        let action = Action(rawValue: flags & ~0xffff)
        let known: Action = [.get, .set, .probe]
        // "mutually exclusive, except for use with VFIO_DEVICE_FEATURE_PROBE".
        guard known.isSuperset(of: action), !action.isEmpty, action.contains(.probe) || action != [.get, .set] else {
            throw .field(message: name, name: "flags", value: UInt64(flags))
        }
        return DeviceFeatureMessage(
            argumentByteCount: bytes.field32(at: 0), feature: UInt16(truncatingIfNeeded: flags), action: action,
            data: Array(bytes.dropFirst(headByteCount)))
    }

    public func emit() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append32(argumentByteCount)
        bytes.append32(UInt32(feature) | action.rawValue)
        return bytes + data
    }

    /// The reply to a get: the data, and a size that counts it.
    func answer(_ data: [UInt8]) -> [UInt8] {
        DeviceFeatureMessage(
            argumentByteCount: UInt32(clamping: DeviceFeatureMessage.headByteCount + data.count), feature: feature, action: action,
            data: data
        ).emit()
    }
}
