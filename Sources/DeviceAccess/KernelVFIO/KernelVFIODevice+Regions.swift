import CLinuxShims
import DeviceMemory
public import LinuxIO
import SystemPackage

extension KernelVFIODevice {
    public func regionInfo(_ region: Int) throws(DeviceError) -> RegionInfo {
        let reply = try reply(for: region)
        return RegionInfo(
            byteCount: reply.byteCount, isReadable: reply.isReadable, isWritable: reply.isWritable,
            mmappableAreas: try mappableAreas(of: region, reply))
    }

    /// Reading or writing mapped registers while the command register's memory bit is 0 is a SIGBUS: set it first.
    public func mapAreas(of region: Int) throws(DeviceError) -> [MappedArea] {
        let reply = try reply(for: region)
        if areas[region] == nil {
            var mapped: [BARMapping] = []
            for area in try mappableAreas(of: region, reply) { mapped.append(try map(area, of: region, reply)) }
            areas[region] = mapped
        }
        return (areas[region] ?? []).map { MappedArea(offset: $0.offset, window: $0.window) }
    }

    /// A descriptor of the device's own file, for another process that maps areas of regions by itself.
    public func duplicateFile() throws(DeviceError) -> OwnedDescriptor {
        do {
            return try withDevice { file throws(SystemCallError) in try file.duplicate() }
        } catch { throw subject.failed(error, fix: "Raise the limit of open files (ulimit -n).") }
    }

    /// Where a region begins in the device's file.
    public func fileOffset(ofRegion region: Int) throws(DeviceError) -> UInt64 { try reply(for: region).fileOffset }

    public func readRegion(_ region: Int, at offset: UInt64, byteCount: Int) throws(DeviceError) -> UInt64 {
        let reply = try check(region, offset, byteCount)
        let fileOffset = Int64(reply.fileOffset + offset)
        let name = "\(address) region \(region)"
        let bytes: [UInt8]
        do {
            bytes = try withDevice { file throws(SystemCallError) in try file.read(byteCount: byteCount, at: fileOffset, subject: name) }
        } catch { throw accessFailed(region, offset, byteCount, error) }
        return bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    public func writeRegion(_ region: Int, at offset: UInt64, _ value: UInt64, byteCount: Int) throws(DeviceError) {
        let reply = try check(region, offset, byteCount)
        let fileOffset = Int64(reply.fileOffset + offset)
        let name = "\(address) region \(region)"
        let bytes = (0..<byteCount).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
        do {
            try withDevice { file throws(SystemCallError) in try file.write(bytes, at: fileOffset, subject: name) }
        } catch { throw accessFailed(region, offset, byteCount, error) }
    }

    public func readConfig(at offset: Int, byteCount: Int) throws(DeviceError) -> UInt32 {
        try checkConfig(offset, byteCount)
        return UInt32(truncatingIfNeeded: try readRegion(KernelVFIODevice.configRegion, at: UInt64(offset), byteCount: byteCount))
    }

    public func writeConfig(_ value: UInt32, at offset: Int, byteCount: Int) throws(DeviceError) {
        try checkConfig(offset, byteCount)
        try writeRegion(KernelVFIODevice.configRegion, at: UInt64(offset), UInt64(value), byteCount: byteCount)
    }

    private func checkConfig(_ offset: Int, _ byteCount: Int) throws(DeviceError) {
        guard offset >= 0, byteCount <= 4 else {
            throw bad(
                KernelVFIODevice.configRegion, UInt64(clamping: offset), byteCount,
                "config space is accessed at offsets from 0 in 1, 2 or 4 bytes")
        }
    }

    /// Judges an access by the region's size and flags.
    private func check(_ region: Int, _ offset: UInt64, _ byteCount: Int) throws(DeviceError) -> RegionInfoReply {
        let reply = try reply(for: region)
        guard [1, 2, 4, 8].contains(byteCount) else { throw bad(region, offset, byteCount, "an access has 1, 2, 4 or 8 bytes") }
        let count = UInt64(byteCount)
        guard reply.byteCount >= count, offset <= reply.byteCount - count else {
            throw bad(
                region, offset, byteCount,
                reply.byteCount == 0 ? "the device has no such region" : "the region has \(reply.byteCount) bytes")
        }
        return reply
    }

    private func bad(_ region: Int, _ offset: UInt64, _ byteCount: Int, _ reason: String) -> DeviceError {
        .badAccess(device: url, region: region, offset: offset, byteCount: byteCount, reason: reason)
    }

    private func accessFailed(_ region: Int, _ offset: UInt64, _ byteCount: Int, _ cause: SystemCallError) -> DeviceError {
        switch cause.errno {
        case .operationNotSupportedByDevice, .noSuchAddressOrDevice: .gone(device: url, reason: "\(cause)")
        case .ioError where region < KernelVFIODevice.configRegion:
            bad(region, offset, byteCount, "\(cause) Memory or I/O space is off in the command register, the device sleeps, or it is gone")
        default: bad(region, offset, byteCount, "\(cause)")
        }
    }

    private func reply(for region: Int) throws(DeviceError) -> RegionInfoReply {
        guard regions.indices.contains(region) else { throw bad(region, 0, 0, "regions are 0 to \(KernelVFIODevice.regionCount - 1)") }
        return try regions[region].get()
    }

    /// VFIO_DEVICE_GET_REGION_INFO of every region, asked once: any thread may read the answers afterwards.
    static func regions(of file: borrowing OwnedDescriptor, _ subject: VFIOSubject) -> [Result<RegionInfoReply, DeviceError>] {
        var replies: [Result<RegionInfoReply, DeviceError>] = []
        for region in 0..<regionCount {
            do throws(DeviceError) { replies.append(.success(try ask(region, file, subject))) } catch { replies.append(.failure(error)) }
        }
        return replies
    }

    private static func ask(
        _ region: Int, _ file: borrowing OwnedDescriptor, _ subject: VFIOSubject
    ) throws(DeviceError) -> RegionInfoReply {
        let info: InfoBytes
        do {
            info = try InfoCall.ask(
                file, UInt(unic_vfio_device_get_region_info), fixed: .init(byteCount: RegionInfoReply.fixedByteCount, index: region),
                call: "VFIO_DEVICE_GET_REGION_INFO", on: "region \(region) of \(subject.address)")
        } catch {
            // The ROM of a device that has none, and BARs of some virtual functions, are refused so.
            guard error.errno == .invalidArgument else { throw subject.failed(error, fix: "See `dmesg`.") }
            return RegionInfoReply(flags: 0, byteCount: 0, fileOffset: 0, sparseAreas: nil, isMSIXMappable: false)
        }
        do { return try RegionInfoReply.parse(info) } catch {
            throw .protocolViolation(device: subject.url, reason: "VFIO_DEVICE_GET_REGION_INFO of region \(region): \(error.reason)")
        }
    }

    private func mappableAreas(of region: Int, _ reply: RegionInfoReply) throws(DeviceError) -> [Range<UInt64>] {
        guard reply.isMmappable else { return [] }
        let table = try msixTable()
        return reply.mappableAreas(msixTable: table?.region == region ? table?.range : nil, pageByteCount: UInt64(PageSize.base.rawValue))
    }

    /// Where the MSI-X table is, by the function's own config space.
    private func msixTable() throws(DeviceError) -> MSIXTable? {
        var config: [UInt8] = []
        for offset in stride(from: 0, to: 256, by: 4) { config.append(littleEndian: try readConfig(at: offset, byteCount: 4)) }
        return MSIXTable.find(inConfig: InfoBytes(config))
    }

    private func map(_ area: Range<UInt64>, of region: Int, _ reply: RegionInfoReply) throws(DeviceError) -> BARMapping {
        guard let byteCount = Int(exactly: area.upperBound - area.lowerBound),
            let fileOffset = Int(exactly: reply.fileOffset + area.lowerBound)
        else {
            throw bad(region, area.lowerBound, 0, "the area does not fit into an address space")
        }
        let writable = reply.isWritable
        do {
            let pages = try withDevice { file throws(SystemCallError) in
                try BARMapping.pages(
                    file, fileOffset: fileOffset, byteCount: byteCount, isWritable: writable, subject: "region \(region) of \(address)")
            }
            return BARMapping(pages, offset: area.lowerBound)
        } catch { throw subject.failed(error, fix: "The kernel takes no mapping of bytes \(area) of this region; `dmesg` may say why.") }
    }
}
