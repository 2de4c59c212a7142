import DeviceModel
import NicRegisters

/// What the driver does by config space: bus mastering, resets, and the window of the configuration access capability.
extension VirtioTransport {
    /// An access that a write to config space stands for.
    public struct WindowAccess: Equatable, Sendable {
        public let bar: Int
        public let offset: UInt64
        public let byteCount: Int
        public internal(set) var value: UInt64 = 0
    }

    /// What the model has to do after a write to config space.
    public enum ConfigEffect: Equatable, Sendable {
        case nothing
        /// Function level reset: the environment is at power-on, and the transport; the model follows.
        case functionReset
        /// The device was reset as by its status register, bus mastering and all else is known. Then the access, if any.
        case deviceReset(then: WindowAccess?)
        /// Write it as if the driver had written the BAR.
        case write(WindowAccess)
    }

    public mutating func configWritten(at offset: Int, byteCount: Int) -> ConfigEffect {
        func touches(_ bytes: Range<Int>) -> Bool { offset < bytes.upperBound && bytes.lowerBound - offset < byteCount }
        guard environment.config.count >= 256, offset >= 0 else { return .nothing }
        // PCI Express 1.1 §7.8.4: Initiate Function Level Reset, in device control's upper byte.
        let resetByte = VirtioPlace.pcieCapability + 9
        if touches(resetByte..<resetByte + 1), environment.config[resetByte] & 0x80 != 0 {
            environment.resetToPowerOn()
            reset()
            return .functionReset
        }
        let losesState = notePowerState(environment.config[VirtioPlace.powerCapability + 4] & 3)
        if losesState { resetDevice() }
        updateMemoryAccess()
        let data = VirtioPlace.accessCapability + Virtio.Capability.accessData
        var access: WindowAccess?
        if touches(data..<data + 4) {
            access = accessWindow
            access?.value = UInt64(configWord(data))
        }
        if losesState { return .deviceReset(then: access) }
        return access.map { .write($0) } ?? .nothing
    }

    /// "PCI configuration access capability": a read of its data reads the BAR. nil: this read is none.
    public func windowForRead(at offset: Int, byteCount: Int) -> WindowAccess? {
        let data = VirtioPlace.accessCapability + Virtio.Capability.accessData
        guard environment.config.count >= 256, offset >= 0, offset < data + 4, data - offset < byteCount else { return nil }
        return accessWindow
    }

    /// Shows what was read from the BAR.
    public func answer(_ window: WindowAccess, _ value: UInt64) {
        let data = VirtioPlace.accessCapability + Virtio.Capability.accessData
        for index in 0..<window.byteCount { environment.config[data + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
    }

    /// Where the capability's data looks into a BAR; nil for what the specification forbids.
    private var accessWindow: WindowAccess? {
        let start = VirtioPlace.accessCapability
        let length = configWord(start + Virtio.Capability.structureLength)
        let offset = configWord(start + Virtio.Capability.structureOffset)
        guard length == 1 || length == 2 || length == 4, offset & (length - 1) == 0,
            Int(environment.config[start + Virtio.Capability.barOffset]) == VirtioPlace.bar, offset < UInt32(VirtioPlace.byteCount)
        else { return nil }
        return WindowAccess(bar: VirtioPlace.bar, offset: UInt64(offset), byteCount: Int(length))
    }

    private func configWord(_ offset: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(environment.config[offset + $1]) << UInt32(8 * $1) }
    }
}
