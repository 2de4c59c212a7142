import DeviceModel
import NicRegisters

/// Trapped accesses to the structures in BAR 0 and to the MSI-X table.
extension VirtioTransport {
    /// Where in the device configuration an access to a BAR is; nil: elsewhere, which is the transport's.
    public func deviceOffset(_ bar: Int, _ offset: UInt64) -> Int? {
        let start = UInt64(VirtioPlace.device)
        guard bar == VirtioPlace.bar, offset >= start, offset < start + UInt64(offer.configByteCount) else { return nil }
        return Int(offset - start)
    }

    /// Everything but the device configuration, which reads as zero here.
    public mutating func readRegion(_ bar: Int, at offset: UInt64, byteCount: Int) -> UInt64 {
        guard let offset = Int(exactly: offset), [1, 2, 4, 8].contains(byteCount) else { return 0 }
        if bar == VirtioPlace.msixBAR { return readMSIX(offset, byteCount) }
        guard bar == VirtioPlace.bar else { return 0 }
        switch offset {
        case VirtioPlace.common..<VirtioPlace.common + Virtio.Common.fullByteCount:
            return readCommon(offset - VirtioPlace.common, byteCount)
        case VirtioPlace.interruptStatus: return UInt64(takeInterruptStatus().rawValue)
        default: return 0
        }
    }

    /// Everything but the device configuration. A notification says nothing that the rings do not.
    public mutating func writeRegion(_ bar: Int, at offset: UInt64, _ value: UInt64, byteCount: Int) -> Event? {
        guard let offset = Int(exactly: offset) else { return nil }
        if bar == VirtioPlace.msixBAR {
            writeMSIX(offset, value, byteCount)
            return nil
        }
        guard bar == VirtioPlace.bar, offset >= VirtioPlace.common, offset < VirtioPlace.common + Virtio.Common.fullByteCount
        else { return nil }
        return writeCommon(offset - VirtioPlace.common, value, byteCount)
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
        case field.deviceFeatureSelect.offset: return deviceFeatureSelect
        case field.deviceFeature.offset: return half(of: offer.features, deviceFeatureSelect)
        case field.driverFeatureSelect.offset: return driverFeatureSelect
        case field.driverFeature.offset: return half(of: features, driverFeatureSelect)
        case field.configVector.offset: return UInt32(configVector) | UInt32(queues.count) << 16
        case field.deviceStatus.offset: return UInt32(status.rawValue) | UInt32(configGeneration) << 8 | UInt32(queueSelect) << 16
        case field.queueSize.offset: return UInt32(queue?.size ?? 0) | UInt32(queue?.vector ?? Virtio.noVector) << 16
        case field.queueEnable.offset: return (queue?.isEnabled == true ? 1 : 0) | UInt32(queueSelect) << 16
        case field.queueDescriptors.offset: return UInt32(truncatingIfNeeded: queue?.descriptorArea ?? 0)
        case field.queueDescriptors.offset + 4: return UInt32(truncatingIfNeeded: (queue?.descriptorArea ?? 0) >> 32)
        case field.queueDriver.offset: return UInt32(truncatingIfNeeded: queue?.driverArea ?? 0)
        case field.queueDriver.offset + 4: return UInt32(truncatingIfNeeded: (queue?.driverArea ?? 0) >> 32)
        case field.queueDevice.offset: return UInt32(truncatingIfNeeded: queue?.deviceArea ?? 0)
        case field.queueDevice.offset + 4: return UInt32(truncatingIfNeeded: (queue?.deviceArea ?? 0) >> 32)
        default: return 0
        }
    }

    private func half(of features: VirtioFeatures, _ select: UInt32) -> UInt32 {
        select < 2 ? UInt32(truncatingIfNeeded: features.rawValue >> (UInt64(select) * 32)) : 0
    }

    /// Fields of 64 bits are two of 32. "PCI Device Layout".
    private mutating func writeCommon(_ offset: Int, _ value: UInt64, _ byteCount: Int) -> Event? {
        switch byteCount {
        case 1 where offset == Virtio.Common.deviceStatus.offset:
            return writeStatus(VirtioStatus(rawValue: UInt8(truncatingIfNeeded: value)))
        case 2: writeHalfWord(offset, UInt16(truncatingIfNeeded: value))
        case 4: writeWord(offset, UInt32(truncatingIfNeeded: value))
        case 8 where offset >= Virtio.Common.queueDescriptors.offset:
            writeWord(offset, UInt32(truncatingIfNeeded: value))
            writeWord(offset + 4, UInt32(truncatingIfNeeded: value >> 32))
        default: break
        }
        return nil
    }

    private mutating func writeHalfWord(_ offset: Int, _ value: UInt16) {
        let field = Virtio.Common.self
        switch offset {
        case field.configVector.offset: configVector = validVector(value)
        case field.queueSelect.offset: queueSelect = value
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
    private func validVector(_ value: UInt16) -> UInt16 { Int(value) < offer.vectorCount ? value : Virtio.noVector }

    private mutating func writeWord(_ offset: Int, _ value: UInt32) {
        let field = Virtio.Common.self
        switch offset {
        case field.deviceFeatureSelect.offset: deviceFeatureSelect = value
        case field.driverFeatureSelect.offset: driverFeatureSelect = value
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
}

extension UInt64 {
    fileprivate mutating func setLow(_ value: UInt32) { self = self & ~0xffff_ffff | UInt64(value) }
    fileprivate mutating func setHigh(_ value: UInt32) { self = self & 0xffff_ffff | UInt64(value) << 32 }
}
