import DeviceModel
import VirtioModel

/// Trapped registers, config space and the device configuration.
extension VirtioIOMMUFunction {
    public mutating func readRegion(_ bar: Int, at offset: UInt64, byteCount: Int) -> UInt64 {
        guard let place = transport.deviceOffset(bar, offset) else { return transport.readRegion(bar, at: offset, byteCount: byteCount) }
        guard [1, 2, 4, 8].contains(byteCount) else { return 0 }
        let bytes = configurationBytes()
        return (0..<byteCount).reduce(0) { value, index in
            bytes.indices.contains(place + index) ? value | UInt64(bytes[place + index]) << UInt64(8 * index) : value
        }
    }

    public mutating func writeRegion(_ bar: Int, at offset: UInt64, _ value: UInt64, byteCount: Int) {
        if let place = transport.deviceOffset(bar, offset) {
            if place == VirtioIOMMULayout.Config.bypass, byteCount == 1 { writeBypass(UInt8(truncatingIfNeeded: value)) }
            return
        }
        if bar == 0, offset == UInt64(VirtioPlace.notifications), transport.isRunning { kickWatch.kick(at: clock()) }
        switch transport.writeRegion(bar, at: offset, value, byteCount: byteCount) {
        case .reset: resetDevice()
        case .negotiated, nil: break
        }
        noteViolations()
    }

    public mutating func configWritten(at offset: Int, byteCount: Int) {
        switch transport.configWritten(at: offset, byteCount: byteCount) {
        case .nothing: break
        case .functionReset: resetDevice()
        case .deviceReset(let access):
            resetDevice()
            if let access { write(access) }
        case .write(let access): write(access)
        }
        noteViolations()
    }

    private mutating func write(_ access: VirtioTransport.WindowAccess) {
        writeRegion(access.bar, at: access.offset, access.value, byteCount: access.byteCount)
    }

    public mutating func configWillBeRead(at offset: Int, byteCount: Int) {
        guard let window = transport.windowForRead(at: offset, byteCount: byteCount) else { return }
        transport.answer(window, readRegion(window.bar, at: window.offset, byteCount: window.byteCount))
    }

    // MARK: Device configuration

    /// "The driver MUST NOT write a value different than 0 or 1"; and only if it took the feature.
    private mutating func writeBypass(_ value: UInt8) {
        guard value <= 1, transport.isNegotiated, transport.features.contains(.iommuBypassConfig) else { return }
        handler.bypassesUnattached = value == 1
    }

    /// The first read after a change comes with a new generation.
    private mutating func configurationBytes() -> [UInt8] {
        typealias Layout = VirtioIOMMULayout.Config
        let configuration = handler.configuration
        if configuration != shownConfiguration {
            shownConfiguration = configuration
            transport.configGeneration &+= 1
        }
        var bytes = [UInt8](repeating: 0, count: Layout.byteCount)
        func put<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
            for index in 0..<Value.bitWidth / 8 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> Value(8 * index)) }
        }
        put(configuration.pageSizeMask, at: Layout.pageSizeMask)
        put(configuration.inputRange.lowerBound, at: Layout.inputRangeStart)
        put(configuration.inputRange.upperBound, at: Layout.inputRangeEnd)
        put(configuration.domainRange.lowerBound, at: Layout.domainRangeStart)
        put(configuration.domainRange.upperBound, at: Layout.domainRangeEnd)
        put(configuration.probeByteCount, at: Layout.probeByteCount)
        put(UInt8(handler.bypassesUnattached ? 1 : 0), at: Layout.bypass)
        return bytes
    }
}
