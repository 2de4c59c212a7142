public import DeviceAccess
import DeviceMemory
import DeviceModel

/// Config space and BARs. VFIO's region numbers: 0 to 5 BARs, 6 the ROM, 7 config space (linux/vfio.h, VFIO_PCI_*_REGION_INDEX).
extension SoftDevice where Model: ~Copyable {
    private static var romRegion: Int { 6 }
    private static var configRegion: Int { 7 }

    public func readConfig(at offset: Int, byteCount: Int) throws(DeviceError) -> UInt32 {
        let range = try configRange(offset, byteCount)
        model.configWillBeRead(at: offset, byteCount: byteCount)
        return environment.config[range].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Bits that the function has read-only stay; the model hears of every write.
    public func writeConfig(_ value: UInt32, at offset: Int, byteCount: Int) throws(DeviceError) {
        let range = try configRange(offset, byteCount)
        environment.writeConfig(at: offset, bytes: range.map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0 - offset))) })
        model.configWritten(at: offset, byteCount: byteCount)
    }

    public func regionInfo(_ region: Int) throws(DeviceError) -> RegionInfo {
        switch region {
        case Self.configRegion: return RegionInfo(byteCount: UInt64(environment.config.count))
        case Self.romRegion: return RegionInfo(byteCount: 0, isReadable: false, isWritable: false)
        case 0..<Self.romRegion:
            guard let bar = bar(region) else { return RegionInfo(byteCount: 0, isReadable: false, isWritable: false) }
            return RegionInfo(byteCount: bar.byteCount, mmappableAreas: bar.memoryAreas)
        default: throw badAccess(region, 0, 0, "there is no such region")
        }
    }

    /// The environment's memory itself: driver and model see each other's stores as they are made.
    public func mapAreas(of region: Int) throws(DeviceError) -> [MappedArea] {
        _ = try regionInfo(region)
        return environment.memoryAreas(of: region).map { MappedArea(offset: $0.range.lowerBound, window: $0.window) }
    }

    /// Inside of a mapped area it is that memory; elsewhere the model answers.
    public func readRegion(_ region: Int, at offset: UInt64, byteCount: Int) throws(DeviceError) -> UInt64 {
        if region == Self.configRegion { return UInt64(try readConfig(at: Int(clamping: offset), byteCount: byteCount)) }
        try checkBARAccess(region, offset, byteCount)
        guard let memory = mappedMemory(region, offset, byteCount) else {
            return model.readRegion(region, at: offset, byteCount: byteCount)
        }
        return switch byteCount {
        case 1: UInt64(memory.load8(at: 0))
        case 2: UInt64(memory.load16(at: 0))
        case 4: UInt64(memory.load32(at: 0))
        default: memory.load64(at: 0)
        }
    }

    public func writeRegion(_ region: Int, at offset: UInt64, _ value: UInt64, byteCount: Int) throws(DeviceError) {
        if region == Self.configRegion {
            return try writeConfig(UInt32(truncatingIfNeeded: value), at: Int(clamping: offset), byteCount: byteCount)
        }
        try checkBARAccess(region, offset, byteCount)
        guard let memory = mappedMemory(region, offset, byteCount) else {
            return model.writeRegion(region, at: offset, value, byteCount: byteCount)
        }
        switch byteCount {
        case 1: memory.store8(UInt8(truncatingIfNeeded: value), at: 0)
        case 2: memory.store16(UInt16(truncatingIfNeeded: value), at: 0)
        case 4: memory.store32(UInt32(truncatingIfNeeded: value), at: 0)
        default: memory.store64(value, at: 0)
        }
    }

    /// The bytes of an access that lies in one mapped area, whole.
    private func mappedMemory(_ region: Int, _ offset: UInt64, _ byteCount: Int) -> MemoryWindow? {
        for area in environment.memoryAreas(of: region) where area.range.contains(offset) {
            guard UInt64(byteCount) <= area.range.upperBound - offset else { return nil }
            return area.window.slice(at: Int(offset - area.range.lowerBound), byteCount: byteCount)
        }
        return nil
    }

    private func bar(_ region: Int) -> BARDescription? {
        function.bars.indices.contains(region) && region < Self.romRegion ? function.bars[region] : nil
    }

    private func checkBARAccess(_ region: Int, _ offset: UInt64, _ byteCount: Int) throws(DeviceError) {
        guard let bar = bar(region) else { throw badAccess(region, offset, byteCount, "there is no such region") }
        guard [1, 2, 4, 8].contains(byteCount) else { throw badAccess(region, offset, byteCount, "an access has 1, 2, 4 or 8 bytes") }
        guard offset % UInt64(byteCount) == 0 else { throw badAccess(region, offset, byteCount, "it is not aligned to its size") }
        guard offset < bar.byteCount, UInt64(byteCount) <= bar.byteCount - offset else {
            throw badAccess(region, offset, byteCount, "the region ends at 0x\(String(bar.byteCount, radix: 16))")
        }
    }

    private func configRange(_ offset: Int, _ byteCount: Int) throws(DeviceError) -> Range<Int> {
        let size = environment.config.count
        guard [1, 2, 4].contains(byteCount) else {
            throw badAccess(Self.configRegion, UInt64(clamping: offset), byteCount, "an access to config space has 1, 2 or 4 bytes")
        }
        guard offset >= 0, byteCount <= size, offset <= size - byteCount else {
            throw badAccess(Self.configRegion, UInt64(clamping: offset), byteCount, "config space has \(size) bytes")
        }
        return offset..<offset + byteCount
    }

    private func badAccess(_ region: Int, _ offset: UInt64, _ byteCount: Int, _ reason: String) -> DeviceError {
        .badAccess(device: url, region: region, offset: offset, byteCount: byteCount, reason: reason)
    }
}
