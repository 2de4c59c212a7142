import DeviceMemory
import NicRegisters
import VirtioModel

/// "Packet Transmission".
extension VirtioNetModel {
    /// What a frame may have: Ethernet's header at least, the MTU and one tag at most.
    @inline(__always) private var longestFrame: Int { min(options.mtu &+ 18, wireMaximumFrameByteCount) }

    /// Up to 64 buffers of one pair.
    @inline(__always)
    mutating func stepTransmit(_ pair: Int) -> Bool {
        let index = VirtioNet.transmitQueue(ofPair: pair)
        guard let limit = transport.queues[index].look() else {
            if transport.queues[index].violation != nil { noteViolation(of: index) }
            return false
        }
        var queue = transport.queues[index]
        var taken = 0
        while taken < 64 {
            var cursor = queue.available
            guard let buffer = queue.take(&cursor, limit) else { break }
            if let frame = plainFrame(buffer) {
                send(frame, pair)
                queue.available = cursor
                queue.use(buffer, written: 0)
            } else {
                guard sendSlowly(buffer, of: &queue, cursor, pair) else { break }
            }
            taken &+= 1
        }
        queue.publish()
        if taken > 0 { wire.flush() }
        notifyUsed(&queue)
        transport.queues[index] = queue
        if queue.violation != nil { noteViolation(of: index) }
        return taken > 0
    }

    /// The frame of a buffer in one piece that needs nothing; nil: it takes the other way.
    @inline(__always)
    private func plainFrame(_ buffer: AvailableBuffer) -> MemoryWindow? {
        let byteCount = Int(buffer.byteCount) &- VirtioNet.Header.byteCount
        guard buffer.isPlainReadable, byteCount >= 60, byteCount <= longestFrame,
            let window = dma.translate(IOVA(buffer.address), byteCount: Int(buffer.byteCount), access: .read),
            window.load8(at: VirtioNet.Header.flagsOffset) & VirtioNet.HeaderFlags.needsChecksum.rawValue == 0,
            window.load8(at: VirtioNet.Header.segmentationOffset) == 0
        else { return nil }
        return window.slice(at: VirtioNet.Header.byteCount, byteCount: byteCount)
    }

    @inline(__always)
    private mutating func send(_ frame: MemoryWindow, _ pair: Int) {
        if steering.mode == .flows { steering.learn(frame, pair: pair) }
        counters.framesSent &+= 1
        counters.bytesSent &+= UInt64(truncatingIfNeeded: frame.byteCount)
        wire.send(frame)
    }

    // MARK: Several pieces, short frames, checksums

    /// By way of a copy in memory of our own. False: the queue was stopped.
    @inline(never)
    private mutating func sendSlowly(_ buffer: AvailableBuffer, of queue: inout Virtqueue, _ start: RingCursor, _ pair: Int) -> Bool {
        var cursor = start
        chains.removeAll()
        let allowsIndirect = transport.features.contains(.indirectDescriptors)
        guard let chain = chains.follow(buffer, of: &queue, &cursor, allowsIndirect: allowsIndirect, dma: dma) else { return false }
        guard chain.readableByteCount >= UInt64(VirtioNet.Header.byteCount) else {
            queue.stop(.tooSmall)
            return false
        }
        let limit = UInt64(VirtioNet.Header.byteCount + longestFrame)
        if chain.readableByteCount > limit {
            counters.framesNotSent &+= 1
        } else {
            guard chains.read(chain, to: bounce, limit: Int(limit), dma: dma) else {
                queue.stop(.unreachable)
                return false
            }
            sendCopied(Int(chain.readableByteCount) - VirtioNet.Header.byteCount, pair)
        }
        queue.available = cursor
        queue.use(chain.buffer, written: 0)
        return true
    }

    /// Header and frame are in `bounce`, where nobody else writes.
    private mutating func sendCopied(_ length: Int, _ pair: Int) {
        let header = VirtioNet.Header(word0: bounce.load64(at: 0), word1: bounce.load32(at: 8))
        let room = bounce.slice(at: VirtioNet.Header.byteCount, byteCount: bounce.byteCount - VirtioNet.Header.byteCount)
        // Segmentation is not offered.
        guard length >= 14, header.segmentation == 0, fillChecksum(header, room.slice(at: 0, byteCount: length)) else {
            counters.framesNotSent &+= 1
            return
        }
        var length = length
        if length < 60 {
            // IEEE 802.3 §3.2.8: a frame has 60 bytes at least, less FCS.
            room.slice(at: length, byteCount: 60 - length).fill(0)
            length = 60
        }
        send(room.slice(at: 0, byteCount: length), pair)
    }

    /// Sums from csum_start to the end, the driver's seed in it, and stores the complement. A flag that was not negotiated
    /// is ignored. False: the place is outside of the frame.
    private mutating func fillChecksum(_ header: VirtioNet.Header, _ frame: MemoryWindow) -> Bool {
        guard header.flags.contains(.needsChecksum), transport.features.contains(.checksum) else { return true }
        let start = Int(header.checksumStart)
        let place = start + Int(header.checksumOffset)
        guard start < frame.byteCount, place + 2 <= frame.byteCount else { return false }
        let sum = ~Checksum.sum(frame, at: start, byteCount: frame.byteCount - start)
        // All ones mean the same to TCP, and to UDP zero would mean none (RFC 768).
        let bytes = sum == 0 ? 0xffff : sum
        frame.store8(UInt8(bytes >> 8), at: place)
        frame.store8(UInt8(bytes & 0xff), at: place + 1)
        counters.checksumsInserted &+= 1
        return true
    }
}
