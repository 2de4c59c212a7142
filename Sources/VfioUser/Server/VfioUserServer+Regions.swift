import CLinuxShims
import DeviceMemory
import DeviceModel
import LinuxIO
import SystemPackage

/// What the device looks like, and trapped accesses.
extension VfioUserServer where Model: ~Copyable {
    private var configRegion: UInt32 { UInt32(VFIO_PCI_CONFIG_REGION_INDEX) }

    var deviceInfo: DeviceInfoMessage {
        DeviceInfoMessage(
            supportsReset: true, isPCI: true, regionCount: UInt32(VFIO_PCI_NUM_REGIONS),
            interruptIndexCount: UInt32(VFIO_PCI_NUM_IRQS))
    }

    /// Bytes of a region, 0 where there is none.
    private func byteCount(ofRegion region: UInt32) -> UInt64 {
        if region == configRegion { return UInt64(environment.config.count) }
        guard region < 6, function.bars.indices.contains(Int(region)) else { return 0 }
        return function.bars[Int(region)]?.byteCount ?? 0
    }

    func regionInfo(_ request: RegionInfoMessage) throws(CommandFailure) -> Reply {
        guard request.index < UInt32(VFIO_PCI_NUM_REGIONS) else {
            throw CommandFailure(.invalidArgument, "there is no region \(request.index)")
        }
        let size = byteCount(ofRegion: request.index)
        var info = RegionInfoMessage(
            argumentByteCount: 0, isReadable: size > 0, isWritable: size > 0, index: request.index, regionByteCount: size)
        if request.index < 6, !options.trapDoorbells, let mappable = environment.mappableAreas(of: Int(request.index)) {
            info.isMappable = true
            info.areas = mappable.ranges
            info.fileOffset = mappable.fileOffset
        }
        info.argumentByteCount = UInt32(info.fullByteCount)
        let room = Int(request.argumentByteCount)
        let file = info.isMappable && info.fullByteCount <= room ? environment.areaFileDescriptor(of: Int(request.index)) : nil
        return Reply(payload: info.emit(roomByteCount: room), descriptors: file.map { [$0] } ?? [])
    }

    /// Registers whose writes only say "look" may be signalled by one eventfd instead, which wakes this server.
    func regionIOFDs(_ request: RegionIOFDsMessage) throws(CommandFailure) -> Reply {
        guard request.index < 6, let bar = function.bars.indices.contains(Int(request.index)) ? function.bars[Int(request.index)] : nil,
            !bar.notifyRegisters.isEmpty
        else {
            throw CommandFailure(.invalidArgument, "region \(request.index) has no registers that an eventfd could stand for")
        }
        var info = request
        info.offsets = bar.notifyRegisters
        let room = Int(request.argumentByteCount)
        let payload = info.emit(roomByteCount: room)
        return Reply(payload: payload, descriptors: info.fullByteCount <= room ? [notification.number] : [])
    }

    func readRegion(_ request: RegionAccessMessage, _ session: ClientSession) throws(CommandFailure) -> RegionAccessMessage {
        try check(request)
        guard Int(request.count) <= session.maximumReplyData else {
            throw CommandFailure(.invalidArgument, "a read of \(request.count) bytes, more than the client takes in one reply")
        }
        var reply = request
        if request.region == configRegion {
            let start = Int(request.offset)
            model.configWillBeRead(at: start, byteCount: Int(request.count))
            reply.data = Array(environment.config[start..<(start + Int(request.count))])
        } else {
            reply.data.reserveCapacity(Int(request.count))
            forEachPiece(of: request) { offset, byteCount in
                reply.data += [UInt8](littleEndian: readBAR(Int(request.region), at: offset, byteCount: byteCount), byteCount: byteCount)
            }
        }
        return reply
    }

    func writeRegion(_ request: RegionAccessMessage) throws(CommandFailure) -> RegionAccessMessage {
        try check(request)
        if request.region == configRegion {
            environment.writeConfig(at: Int(request.offset), bytes: request.data)
            // A function-level reset is the model's: it sees the bit in config space (DeviceModel.configWritten).
            model.configWritten(at: Int(request.offset), byteCount: request.data.count)
        } else {
            forEachPiece(of: request) { offset, byteCount in
                let start = Int(offset - request.offset)
                let value = Array(request.data[start..<(start + byteCount)]).littleEndianValue
                writeBAR(Int(request.region), at: offset, value, byteCount: byteCount)
            }
        }
        var reply = request
        reply.data = []
        return reply
    }

    func check(_ request: RegionAccessMessage) throws(CommandFailure) {
        let size = byteCount(ofRegion: request.region)
        let (end, overflow) = request.offset.addingReportingOverflow(UInt64(request.count))
        guard !overflow, end <= size else {
            throw CommandFailure(
                .invalidArgument, "\(request.count) bytes at \(request.offset) of region \(request.region), which has \(size)")
        }
    }

    /// Accesses as a bus makes them: aligned, at most 4 bytes, 8 if the whole access is that.
    private func forEachPiece(of request: RegionAccessMessage, _ body: (UInt64, Int) -> Void) {
        let largest: UInt64 = request.count == 8 ? 8 : 4
        var offset = request.offset
        let end = request.offset + UInt64(request.count)
        while offset < end {
            var size = largest
            while offset & (size - 1) != 0 || size > end - offset { size >>= 1 }
            body(offset, Int(size))
            offset += size
        }
    }

    /// Mapped areas are memory, by message too.
    private func area(of bar: Int, at offset: UInt64) -> (window: MemoryWindow, offset: Int)? {
        for area in environment.memoryAreas(of: bar) where area.range.contains(offset) {
            return (area.window, Int(offset - area.range.lowerBound))
        }
        return nil
    }

    private func readBAR(_ bar: Int, at offset: UInt64, byteCount: Int) -> UInt64 {
        guard let (window, at) = area(of: bar, at: offset) else { return model.readRegion(bar, at: offset, byteCount: byteCount) }
        return switch byteCount {
        case 1: UInt64(window.load8(at: at))
        case 2: UInt64(window.load16(at: at))
        case 4: UInt64(window.load32(at: at))
        default: window.load64(at: at)
        }
    }

    private func writeBAR(_ bar: Int, at offset: UInt64, _ value: UInt64, byteCount: Int) {
        guard let (window, at) = area(of: bar, at: offset) else {
            return model.writeRegion(bar, at: offset, value, byteCount: byteCount)
        }
        switch byteCount {
        case 1: window.store8(UInt8(truncatingIfNeeded: value), at: at)
        case 2: window.store16(UInt16(truncatingIfNeeded: value), at: at)
        case 4: window.store32(UInt32(truncatingIfNeeded: value), at: at)
        default: window.store64(value, at: at)
        }
    }
}
