import CLinuxShims
public import DeviceAccess
import LinuxIO

extension VfioUserDevice {
    private var configRegion: Int { Int(VFIO_PCI_CONFIG_REGION_INDEX) }

    public func readConfig(at offset: Int, byteCount: Int) throws(DeviceError) -> UInt32 {
        UInt32(truncatingIfNeeded: try readRegion(configRegion, at: UInt64(bitPattern: Int64(offset)), byteCount: byteCount))
    }

    public func writeConfig(_ value: UInt32, at offset: Int, byteCount: Int) throws(DeviceError) {
        try write(configRegion, at: UInt64(bitPattern: Int64(offset)), UInt64(value), byteCount: byteCount, isPosted: false)
    }

    public func regionInfo(_ region: Int) throws(DeviceError) -> RegionInfo { try session.region(region).info }

    public func readRegion(_ region: Int, at offset: UInt64, byteCount: Int) throws(DeviceError) -> UInt64 {
        try check(region, at: offset, byteCount)
        let request = RegionAccessMessage(offset: offset, region: UInt32(region), count: UInt32(byteCount))
        let answer = try session.succeed(session.connection.request(.regionRead, request.emit()))
        let reply = try parseAccess(answer, hasData: true)
        guard reply.offset == offset, reply.region == request.region, reply.count == request.count else {
            throw session.connection.violation("it answered a read with another place than the one asked for")
        }
        return reply.data.littleEndianValue
    }

    public func writeRegion(_ region: Int, at offset: UInt64, _ value: UInt64, byteCount: Int) throws(DeviceError) {
        try write(region, at: offset, value, byteCount: byteCount, isPosted: postsWrites)
    }

    private func write(_ region: Int, at offset: UInt64, _ value: UInt64, byteCount: Int, isPosted: Bool) throws(DeviceError) {
        try check(region, at: offset, byteCount)
        let request = RegionAccessMessage(
            offset: offset, region: UInt32(region), count: UInt32(byteCount), data: [UInt8](littleEndian: value, byteCount: byteCount))
        if isPosted { return try session.connection.post(.regionWrite, request.emit()) }
        let answer = try session.succeed(session.connection.request(.regionWrite, request.emit()))
        let reply = try parseAccess(answer, hasData: false)
        guard reply.offset == offset, reply.region == request.region, reply.count == request.count else {
            throw session.connection.violation("it answered a write with another place than the one written")
        }
    }

    private func parseAccess(_ answer: ClientConnection.Answer, hasData: Bool) throws(DeviceError) -> RegionAccessMessage {
        do throws(MessageError) {
            return try RegionAccessMessage.parse(
                answer.payload, hasData: hasData, maximumByteCount: 8, descriptorCount: answer.descriptors.count)
        } catch {
            throw session.connection.violation(error.description)
        }
    }

    private func check(_ region: Int, at offset: UInt64, _ byteCount: Int) throws(DeviceError) {
        guard [1, 2, 4, 8].contains(byteCount), byteCount <= session.maximumTransferByteCount else {
            throw .badAccess(device: url, region: region, offset: offset, byteCount: byteCount, reason: "accesses have 1, 2, 4 or 8 bytes")
        }
        let size = try session.region(region).info.byteCount
        let (end, overflow) = offset.addingReportingOverflow(UInt64(byteCount))
        guard !overflow, end <= size else {
            throw .badAccess(device: url, region: region, offset: offset, byteCount: byteCount, reason: "the region has \(size) bytes")
        }
    }

    public func mapAreas(of region: Int) throws(DeviceError) -> [MappedArea] {
        if let mapped = mappedRegions[region] { return mapped.areas }
        let known = try session.region(region)
        guard let descriptor = known.file?.take() else { return [] }
        let mapped = try MappedRegion(region, known, descriptor, device: url)
        mappedRegions[region] = mapped
        return mapped.areas
    }
}
