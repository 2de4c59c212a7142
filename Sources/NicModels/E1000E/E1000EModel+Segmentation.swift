import DeviceMemory
import NicRegisters

/// TCP segmentation: one header, many frames. What changes from frame to frame: Intel's description of the context
/// descriptor (fields of NicRegisters' TxContextDescriptor) and RFC 9293 §3.1; the driver seeds the TCP checksum with the
/// pseudo header without its length (Linux drivers/net/ethernet/intel/e1000e/netdev.c e1000_tso).
extension E1000EModel {
    mutating func sendSegments(_ frame: E1000ETransmitQueue, _ command: E1000E.TxCommand, _ vlanTag: UInt16) {
        let header = Int(frame.context.headerLength)
        let payload = frame.byteCount - header
        let segment = Int(frame.context.maximumSegment)
        guard isPossible(frame.context, header: header, payload: payload, segment: segment) else {
            counters.badDescriptors &+= 1
            counters.framesNotSent &+= 1
            statistics.count(E1000E.tsctfc)
            return
        }
        var offset = 0
        var index: UInt32 = 0
        while offset < payload {
            let here = min(segment, payload - offset)
            frame.buffer.copy(at: 0, byteCount: header, to: bounce, at: 0)
            frame.buffer.copy(at: header + offset, byteCount: here, to: bounce, at: header)
            let window = bounce.slice(at: 0, byteCount: header + here)
            fixHeaders(window, frame.context, index: index, sentBefore: UInt32(offset), isLast: offset + here == payload)
            insertSegmentChecksums(window, frame)
            sendSegment(window, header + here, command, vlanTag)
            offset += here
            index += 1
        }
        statistics.count(E1000E.tsctc)
    }

    /// All that is done with the header below lies inside of it, and a segment fits a frame, with a tag.
    private func isPossible(_ context: E1000E.TxContextDescriptor, header: Int, payload: Int, segment: Int) -> Bool {
        let ip = Int(context.ip.start)
        let transport = Int(context.tcpUDP.start)
        let transportByteCount = context.command.contains(.contextTCP) ? 20 : 8
        let ipByteCount = context.command.contains(.contextIPv4) ? 20 : 40
        return segment > 0 && payload > 0 && ip >= 14 && ip + ipByteCount <= transport
            && transport + transportByteCount <= header && header + segment + 4 <= wireMaximumFrameByteCount
            && payload / segment < 4096
    }

    private func fixHeaders(_ frame: MemoryWindow, _ context: E1000E.TxContextDescriptor, index: UInt32, sentBefore: UInt32, isLast: Bool) {
        let ip = Int(context.ip.start)
        let transport = Int(context.tcpUDP.start)
        let length = frame.byteCount - ip
        if context.command.contains(.contextIPv4) {
            frame.store16(UInt16(truncatingIfNeeded: length).byteSwapped, at: ip + 2)
            let identification = frame.load16(at: ip + 4).byteSwapped &+ UInt16(truncatingIfNeeded: index)
            frame.store16(identification.byteSwapped, at: ip + 4)
        } else {
            frame.store16(UInt16(truncatingIfNeeded: length - 40).byteSwapped, at: ip + 4)
        }
        if context.command.contains(.contextTCP) {
            frame.store32((frame.load32(at: transport + 4).byteSwapped &+ sentBefore).byteSwapped, at: transport + 4)
            // FIN and PSH belong to the last one.
            if !isLast { frame.store8(frame.load8(at: transport + 13) & ~0x09, at: transport + 13) }
        } else {
            frame.store16(UInt16(truncatingIfNeeded: frame.byteCount - transport).byteSwapped, at: transport + 4)
        }
    }

    private mutating func insertSegmentChecksums(_ window: MemoryWindow, _ frame: E1000ETransmitQueue) {
        let context = frame.context
        if frame.options.contains(.insertIPChecksum) { insertChecksum(window, context.ip, zeroIsOnes: false) }
        if frame.options.contains(.insertTCPUDPChecksum) {
            var range = context.tcpUDP
            range.end = 0
            let length = UInt64(window.byteCount - Int(range.start))
            insertChecksum(window, range, seed: length, zeroIsOnes: !context.command.contains(.contextTCP))
        }
    }

    /// The segment lies in the bounce buffer already: a tag is made room for there, from the back.
    private mutating func sendSegment(_ window: MemoryWindow, _ length: Int, _ command: E1000E.TxCommand, _ tag: UInt16) {
        guard command.contains(.insertVLAN), receive.stripsVLAN else {
            sendTagged(bounce, length, command.subtracting(.insertVLAN), tag)
            return
        }
        var at = length - 1
        while at >= 12 {
            bounce.store8(bounce.load8(at: at), at: at + 4)
            at -= 1
        }
        bounce.store16(receive.vlanEtherType.byteSwapped, at: 12)
        bounce.store16(tag.byteSwapped, at: 14)
        sendTagged(bounce, length + 4, command.subtracting(.insertVLAN), tag)
    }
}
