import DeviceModel
import NicRegisters

/// Trapped accesses to the structures in BAR 0 and to the MSI-X table. Numbers come from the driver: what names no field,
/// or has another width than it, does nothing.
extension VirtioNetModel {
    public mutating func readRegion(_ bar: Int, at offset: UInt64, byteCount: Int) -> UInt64 {
        guard let offset = Int(exactly: offset), [1, 2, 4, 8].contains(byteCount) else { return 0 }
        if bar == Place.msixBAR { return readMSIX(offset, byteCount) }
        guard bar == Place.bar else { return 0 }
        switch offset {
        case Place.common..<Place.common + Virtio.Common.fullByteCount: return readCommon(offset - Place.common, byteCount)
        case Place.interruptStatus: return UInt64(takeInterruptStatus().rawValue)
        case Place.device..<Place.device + VirtioNet.Config.byteCount:
            return configuration.read(at: offset - Place.device, byteCount: byteCount)
        default: return 0
        }
    }

    public mutating func writeRegion(_ bar: Int, at offset: UInt64, _ value: UInt64, byteCount: Int) {
        guard let offset = Int(exactly: offset) else { return }
        if bar == Place.msixBAR { return writeMSIX(offset, value, byteCount) }
        guard bar == Place.bar, offset >= Place.common, offset < Place.common + Virtio.Common.fullByteCount else { return }
        // The device configuration is read-only, and a notification says nothing that the rings do not.
        writeCommon(offset - Place.common, value, byteCount)
    }

    // MARK: Common configuration

    /// Reads have no side effects, so that any width gives its bytes.
    private func readCommon(_ offset: Int, _ byteCount: Int) -> UInt64 {
        (0..<byteCount).reduce(0) { value, index in
            let at = offset + index
            guard at < Virtio.Common.fullByteCount else { return value }
            let word = commonWord(at & ~3) >> UInt32(8 * (at & 3)) & 0xff
            return value | UInt64(word) << UInt64(8 * index)
        }
    }

    private func commonWord(_ offset: Int) -> UInt32 {
        let field = Virtio.Common.self
        let queue = selectedQueue.map { queues[$0] }
        switch offset {
        case field.deviceFeatureSelect.offset: return common.deviceFeatureSelect
        case field.deviceFeature.offset: return features(options.features, half: common.deviceFeatureSelect)
        case field.driverFeatureSelect.offset: return common.driverFeatureSelect
        case field.driverFeature.offset: return features(common.features, half: common.driverFeatureSelect)
        case field.configVector.offset: return UInt32(common.configVector) | UInt32(options.queueCount) << 16
        case field.deviceStatus.offset:
            return UInt32(common.status.rawValue) | UInt32(configuration.generation) << 8 | UInt32(common.queueSelect) << 16
        case field.queueSize.offset: return UInt32(queue?.size ?? 0) | UInt32(queue?.vector ?? Virtio.noVector) << 16
        case field.queueEnable.offset: return (queue?.isEnabled == true ? 1 : 0) | UInt32(common.queueSelect) << 16
        case field.queueDescriptors.offset: return UInt32(truncatingIfNeeded: queue?.descriptorArea ?? 0)
        case field.queueDescriptors.offset + 4: return UInt32(truncatingIfNeeded: (queue?.descriptorArea ?? 0) >> 32)
        case field.queueDriver.offset: return UInt32(truncatingIfNeeded: queue?.driverArea ?? 0)
        case field.queueDriver.offset + 4: return UInt32(truncatingIfNeeded: (queue?.driverArea ?? 0) >> 32)
        case field.queueDevice.offset: return UInt32(truncatingIfNeeded: queue?.deviceArea ?? 0)
        case field.queueDevice.offset + 4: return UInt32(truncatingIfNeeded: (queue?.deviceArea ?? 0) >> 32)
        default: return 0
        }
    }

    /// Fields of 64 bits are two of 32. "PCI Device Layout".
    private mutating func writeCommon(_ offset: Int, _ value: UInt64, _ byteCount: Int) {
        switch byteCount {
        case 1 where offset == Virtio.Common.deviceStatus.offset: writeStatus(VirtioStatus(rawValue: UInt8(truncatingIfNeeded: value)))
        case 2: writeHalfWord(offset, UInt16(truncatingIfNeeded: value))
        case 4: writeWord(offset, UInt32(truncatingIfNeeded: value))
        case 8 where offset >= Virtio.Common.queueDescriptors.offset:
            writeWord(offset, UInt32(truncatingIfNeeded: value))
            writeWord(offset + 4, UInt32(truncatingIfNeeded: value >> 32))
        default: break
        }
    }

    private mutating func writeHalfWord(_ offset: Int, _ value: UInt16) {
        let field = Virtio.Common.self
        switch offset {
        case field.configVector.offset: common.configVector = validVector(value)
        case field.queueSelect.offset: common.queueSelect = value
        case field.queueSize.offset: writeQueueSize(value)
        case field.queueVector.offset:
            // Unlike the other fields it may change while the queue is enabled.
            if let index = selectedQueue { queues[index].vector = validVector(value) }
        case field.queueEnable.offset: writeQueueEnable(value)
        case field.queueReset.offset: writeQueueReset(value)
        default: break
        }
    }

    /// A vector that does not exist is refused by showing none. "MSI-X Vector Configuration".
    private func validVector(_ value: UInt16) -> UInt16 { Int(value) < options.vectorCount ? value : Virtio.noVector }

    private mutating func writeWord(_ offset: Int, _ value: UInt32) {
        let field = Virtio.Common.self
        switch offset {
        case field.deviceFeatureSelect.offset: common.deviceFeatureSelect = value
        case field.driverFeatureSelect.offset: common.driverFeatureSelect = value
        case field.driverFeature.offset: writeFeatures(value)
        case field.queueDescriptors.offset: configureQueue { $0.descriptorArea.setLow(value) }
        case field.queueDescriptors.offset + 4: configureQueue { $0.descriptorArea.setHigh(value) }
        case field.queueDriver.offset: configureQueue { $0.driverArea.setLow(value) }
        case field.queueDriver.offset + 4: configureQueue { $0.driverArea.setHigh(value) }
        case field.queueDevice.offset: configureQueue { $0.deviceArea.setLow(value) }
        case field.queueDevice.offset + 4: configureQueue { $0.deviceArea.setHigh(value) }
        default: break
        }
    }

    // MARK: MSI-X table

    /// Four words a vector, masked (PCI Local Bus 3.0 §6.8.2). Kept for its readers: a host delivers by eventfd.
    static func freshMSIXTable(_ options: VirtioNetOptions) -> [UInt32] {
        (0..<options.vectorCount * 4).map { $0 % 4 == 3 ? 1 : 0 }
    }

    private func readMSIX(_ offset: Int, _ byteCount: Int) -> UInt64 {
        guard offset >= 0, byteCount >= 4, offset & 3 == 0 else { return 0 }
        func word(_ index: Int) -> UInt64 { msixTable.indices.contains(index) ? UInt64(msixTable[index]) : 0 }
        return byteCount == 4 ? word(offset / 4) : word(offset / 4) | word(offset / 4 + 1) << 32
    }

    private mutating func writeMSIX(_ offset: Int, _ value: UInt64, _ byteCount: Int) {
        guard offset >= 0, byteCount >= 4, offset & 3 == 0 else { return }
        for half in 0..<byteCount / 4 where msixTable.indices.contains(offset / 4 + half) {
            msixTable[offset / 4 + half] = UInt32(truncatingIfNeeded: value >> UInt64(32 * half))
        }
    }
}

extension UInt64 {
    fileprivate mutating func setLow(_ value: UInt32) { self = self & ~0xffff_ffff | UInt64(value) }
    fileprivate mutating func setHigh(_ value: UInt32) { self = self & 0xffff_ffff | UInt64(value) << 32 }
}
