import CLinuxShims

/// What VFIO_DEVICE_GET_REGION_INFO answers (linux/vfio.h, struct vfio_region_info and its capabilities).
struct RegionInfoReply: Equatable, Sendable {
    /// argsz, flags, index, cap_offset, size, offset.
    static let fixedByteCount = 32

    var flags: UInt32
    var byteCount: UInt64
    /// Where the region starts in the device's file.
    var fileOffset: UInt64
    /// VFIO_REGION_INFO_CAP_SPARSE_MMAP: the only parts that may be mapped. nil: the kernel does not say.
    var sparseAreas: [Range<UInt64>]?
    /// VFIO_REGION_INFO_CAP_MSIX_MAPPABLE: pages with the MSI-X table may be mapped too.
    var isMSIXMappable: Bool

    var isReadable: Bool { flags & UInt32(VFIO_REGION_INFO_FLAG_READ) != 0 }
    var isWritable: Bool { flags & UInt32(VFIO_REGION_INFO_FLAG_WRITE) != 0 }
    var isMmappable: Bool { flags & UInt32(VFIO_REGION_INFO_FLAG_MMAP) != 0 }

    static func parse(_ info: InfoBytes) throws(MalformedInfo) -> RegionInfoReply {
        guard let flags = info.u32(at: 4), let first = info.u32(at: 12), let size = info.u64(at: 16), let offset = info.u64(at: 24) else {
            throw MalformedInfo(reason: "a region info of \(info.count) bytes is shorter than \(fixedByteCount)")
        }
        guard !offset.addingReportingOverflow(size).overflow, offset &+ size <= UInt64(Int64.max) else {
            throw MalformedInfo(reason: "a region of \(size) bytes at file offset \(offset) ends past the largest file offset")
        }
        var reply = RegionInfoReply(flags: flags, byteCount: size, fileOffset: offset, sparseAreas: nil, isMSIXMappable: false)
        guard flags & UInt32(VFIO_REGION_INFO_FLAG_CAPS) != 0 else { return reply }
        for capability in try CapabilityChain.parse(info, first: first, fixedByteCount: fixedByteCount) {
            switch Int32(capability.id) {
            case VFIO_REGION_INFO_CAP_SPARSE_MMAP: reply.sparseAreas = try areas(info, at: capability.body, regionByteCount: size)
            case VFIO_REGION_INFO_CAP_MSIX_MAPPABLE: reply.isMSIXMappable = true
            default: break
            }
        }
        return reply
    }

    /// struct vfio_region_info_cap_sparse_mmap behind its header: nr_areas, reserved, then offset and size of each.
    private static func areas(_ info: InfoBytes, at start: Int, regionByteCount: UInt64) throws(MalformedInfo) -> [Range<UInt64>] {
        guard let count = info.u32(at: start), Int(count) <= info.count / 16 else {
            throw MalformedInfo(reason: "the sparse mmap capability names more areas than its answer holds")
        }
        var areas: [Range<UInt64>] = []
        for index in 0..<Int(count) {
            let at = start + 8 + 16 * index
            guard let offset = info.u64(at: at), let size = info.u64(at: at + 8) else {
                throw MalformedInfo(reason: "area \(index) of the sparse mmap capability runs past the answer")
            }
            let (end, overflow) = offset.addingReportingOverflow(size)
            guard !overflow, end <= regionByteCount else {
                throw MalformedInfo(reason: "area \(index) of the sparse mmap capability ends past the region's \(regionByteCount) bytes")
            }
            if size > 0 { areas.append(offset..<end) }
        }
        return areas.sorted { $0.lowerBound < $1.lowerBound }
    }

    /// The parts that this process maps, ascending, disjoint, each starting on a page.
    /// - Parameter msixTable: where the MSI-X table lies in this region, if it does.
    func mappableAreas(msixTable: Range<UInt64>?, pageByteCount: UInt64) -> [Range<UInt64>] {
        guard isMmappable, byteCount > 0 else { return [] }
        if let sparseAreas { return RegionInfoReply.onPages(sparseAreas, pageByteCount) }
        guard let msixTable, !isMSIXMappable else { return [0..<byteCount] }
        let mask = pageByteCount - 1
        let firstPage = msixTable.lowerBound & ~mask
        let (padded, overflow) = msixTable.upperBound.addingReportingOverflow(mask)
        let end = overflow ? byteCount : min(padded & ~mask, byteCount)
        return [0..<min(firstPage, byteCount), end..<byteCount].filter { !$0.isEmpty }
    }

    private static func onPages(_ areas: [Range<UInt64>], _ pageByteCount: UInt64) -> [Range<UInt64>] {
        var result: [Range<UInt64>] = []
        for area in areas {
            let from = max(area.lowerBound, result.last?.upperBound ?? 0)
            let (padded, overflow) = from.addingReportingOverflow(pageByteCount - 1)
            let start = padded & ~(pageByteCount - 1)
            if !overflow, start < area.upperBound { result.append(start..<area.upperBound) }
        }
        return result
    }
}
