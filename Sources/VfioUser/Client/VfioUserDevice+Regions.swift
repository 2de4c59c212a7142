import CLinuxShims
public import DeviceAccess
import DeviceMemory
import Glibc
import LinuxIO

/// A region as the server described it, with the file behind its mappable areas.
final class KnownRegion {
    let info: RegionInfo
    let fileOffset: UInt64
    let file: ReceivedDescriptor?
    /// Made at the first wish, kept for the device's life.
    var mapped: [MappedArea]?
    var mappings: [SharedMapping] = []

    init(info: RegionInfo, fileOffset: UInt64, file: ReceivedDescriptor?) {
        self.info = info
        self.fileOffset = fileOffset
        self.file = file
    }
}

extension VfioUserDevice {
    private var configRegion: Int { Int(VFIO_PCI_CONFIG_REGION_INDEX) }

    public func readConfig(at offset: Int, byteCount: Int) throws(DeviceError) -> UInt32 {
        UInt32(truncatingIfNeeded: try readRegion(configRegion, at: UInt64(bitPattern: Int64(offset)), byteCount: byteCount))
    }

    public func writeConfig(_ value: UInt32, at offset: Int, byteCount: Int) throws(DeviceError) {
        try write(configRegion, at: UInt64(bitPattern: Int64(offset)), UInt64(value), byteCount: byteCount, isPosted: false)
    }

    public func regionInfo(_ region: Int) throws(DeviceError) -> RegionInfo { try known(region).info }

    public func readRegion(_ region: Int, at offset: UInt64, byteCount: Int) throws(DeviceError) -> UInt64 {
        try check(region, at: offset, byteCount)
        let request = RegionAccessMessage(offset: offset, region: UInt32(region), count: UInt32(byteCount))
        let answer = try succeed(connection.request(.regionRead, request.emit()))
        let reply = try parseAccess(answer, hasData: true)
        guard reply.offset == offset, reply.region == request.region, reply.count == request.count else {
            throw connection.violation("it answered a read with another place than the one asked for")
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
        if isPosted { return try connection.post(.regionWrite, request.emit()) }
        let answer = try succeed(connection.request(.regionWrite, request.emit()))
        let reply = try parseAccess(answer, hasData: false)
        guard reply.offset == offset, reply.region == request.region, reply.count == request.count else {
            throw connection.violation("it answered a write with another place than the one written")
        }
    }

    private func parseAccess(_ answer: ClientConnection.Answer, hasData: Bool) throws(DeviceError) -> RegionAccessMessage {
        do throws(MessageError) {
            return try RegionAccessMessage.parse(
                answer.payload, hasData: hasData, maximumByteCount: 8, descriptorCount: answer.descriptors.count)
        } catch {
            throw connection.violation(error.description)
        }
    }

    private func check(_ region: Int, at offset: UInt64, _ byteCount: Int) throws(DeviceError) {
        guard [1, 2, 4, 8].contains(byteCount), byteCount <= serverTransferByteCount else {
            throw .badAccess(device: url, region: region, offset: offset, byteCount: byteCount, reason: "accesses have 1, 2, 4 or 8 bytes")
        }
        let size = try known(region).info.byteCount
        let (end, overflow) = offset.addingReportingOverflow(UInt64(byteCount))
        guard !overflow, end <= size else {
            throw .badAccess(device: url, region: region, offset: offset, byteCount: byteCount, reason: "the region has \(size) bytes")
        }
    }

    /// Asks once; twice if the answer needs more room than the fixed part ("Message sizes").
    private func known(_ region: Int) throws(DeviceError) -> KnownRegion {
        if let found = regions[region] { return found }
        guard region >= 0, region < Int(clamping: info.regionCount) else {
            throw .badAccess(device: url, region: region, offset: 0, byteCount: 0, reason: "the device has \(info.regionCount) regions")
        }
        var (reply, file) = try ask(region, roomByteCount: RegionInfoMessage.byteCount)
        if Int(reply.argumentByteCount) > RegionInfoMessage.byteCount {
            let room = Int(reply.argumentByteCount)
            // Areas and a few other capabilities; more than that is no description but an attack.
            let most = RegionInfoMessage.byteCount + RegionInfoMessage.maximumAreas * RegionInfoMessage.areaByteCount + 4096
            guard room <= most else { throw connection.violation("it describes region \(region) with \(room) bytes") }
            (reply, file) = try ask(region, roomByteCount: room)
        }
        let found = try judge(reply, file, region)
        regions[region] = found
        return found
    }

    private func ask(_ region: Int, roomByteCount: Int) throws(DeviceError) -> (RegionInfoMessage, ReceivedDescriptor?) {
        let request = RegionInfoMessage(argumentByteCount: UInt32(roomByteCount), index: UInt32(region))
        let answer = try succeed(connection.request(.deviceGetRegionInfo, request.emit()))
        guard answer.payload.count <= roomByteCount else {
            throw connection.violation(
                "it described region \(region) with \(answer.payload.count) bytes where \(roomByteCount) were asked for")
        }
        do throws(MessageError) {
            let reply = try RegionInfoMessage.parseReply(answer.payload, descriptorCount: answer.descriptors.count)
            return (reply, answer.descriptors.first)
        } catch {
            throw connection.violation(error.description)
        }
    }

    /// Areas have to be whole pages, inside of the region and of the file, and apart from each other.
    private func judge(_ reply: RegionInfoMessage, _ file: ReceivedDescriptor?, _ region: Int) throws(DeviceError) -> KnownRegion {
        guard reply.index == UInt32(region) else { throw connection.violation("it described region \(reply.index) instead of \(region)") }
        var areas: [Range<UInt64>] = []
        if reply.isMappable, file != nil {
            areas = (reply.areas ?? (reply.regionByteCount > 0 ? [0..<reply.regionByteCount] : [])).sorted { $0.lowerBound < $1.lowerBound }
        }
        var last: UInt64 = 0
        for area in areas {
            guard area.lowerBound >= last, area.upperBound <= reply.regionByteCount, area.lowerBound & 4095 == 0,
                area.upperBound & 4095 == 0
            else {
                throw connection.violation("region \(region) of \(reply.regionByteCount) bytes has an area \(area)")
            }
            last = area.upperBound
        }
        if let file, let end = areas.last?.upperBound { try judge(file, reply.fileOffset, end, region) }
        let info = RegionInfo(
            byteCount: reply.regionByteCount, isReadable: reply.isReadable, isWritable: reply.isWritable, mmappableAreas: areas)
        return KnownRegion(info: info, fileOffset: reply.fileOffset, file: areas.isEmpty ? nil : file)
    }

    /// A page beyond the file's end, or of a file that is no memory, would end or stop this process when it is touched.
    private func judge(_ file: ReceivedDescriptor, _ fileOffset: UInt64, _ end: UInt64, _ region: Int) throws(DeviceError) {
        let facts: FileFacts
        do throws(SystemCallError) { facts = try FileFacts(of: file.number) } catch { throw connection.violation(error.description) }
        let (fileEnd, overflow) = fileOffset.addingReportingOverflow(end)
        guard facts.isMemory, !overflow, fileEnd <= facts.byteCount, fileEnd <= UInt64(Int.max), fileOffset & 4095 == 0 else {
            throw connection.violation("the file of region \(region) is no memory, or too small for its areas: \(facts.byteCount) bytes")
        }
    }

    public func mapAreas(of region: Int) throws(DeviceError) -> [MappedArea] {
        let found = try known(region)
        if let mapped = found.mapped { return mapped }
        guard let descriptor = found.file?.take() else { return [] }
        var areas: [MappedArea] = []
        var mappings: [SharedMapping] = []
        let protection = (found.info.isReadable ? PROT_READ : 0) | (found.info.isWritable ? PROT_WRITE : 0)
        for area in found.info.mmappableAreas {
            do throws(SystemCallError) {
                let pages = try MappedPages(
                    sharing: descriptor, fileOffset: Int(found.fileOffset + area.lowerBound),
                    byteCount: Int(area.upperBound - area.lowerBound),
                    protection: protection, subject: "region \(region)")
                let mapping = SharedMapping(pages)
                mappings.append(mapping)
                areas.append(MappedArea(offset: area.lowerBound, window: mapping.window))
            } catch {
                throw .systemCall(device: url, group: nil, cause: error, fix: "Raise vm.max_map_count, or let the server trap doorbells.")
            }
        }
        found.mappings = mappings
        found.mapped = areas
        return areas
    }
}
