import DeviceAccess
import LinuxIO

/// A region as the server described it, with the file behind its mappable areas.
struct KnownRegion {
    let info: RegionInfo
    let fileOffset: UInt64
    let file: ReceivedDescriptor?
}

extension ServerSession {
    /// Asks once; twice if the answer needs more room than the fixed part ("Message sizes").
    func region(_ region: Int) throws(DeviceError) -> KnownRegion {
        if let found = regions[region] { return found }
        guard region >= 0, region < Int(clamping: info.regionCount) else {
            throw .badAccess(
                device: connection.device, region: region, offset: 0, byteCount: 0, reason: "the device has \(info.regionCount) regions")
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

    /// A page beyond the file's end, or of a file that is no memory, would end or stop this process when it is touched. The
    /// kernel's VFIO refuses to map what is no register of the device.
    private func judge(_ file: ReceivedDescriptor, _ fileOffset: UInt64, _ end: UInt64, _ region: Int) throws(DeviceError) {
        if acceptsHostDevices, FileFacts.isVFIODevice(file.number), fileOffset & 4095 == 0 { return }
        let facts: FileFacts
        do throws(SystemCallError) { facts = try FileFacts(of: file.number) } catch { throw connection.violation(error.description) }
        let (fileEnd, overflow) = fileOffset.addingReportingOverflow(end)
        guard facts.isMemory, !overflow, fileEnd <= facts.byteCount, fileEnd <= UInt64(Int.max), fileOffset & 4095 == 0 else {
            throw connection.violation("the file of region \(region) is no memory, or too small for its areas: \(facts.byteCount) bytes")
        }
    }
}
