import DeviceMemory
import NicRegisters
import VirtioModel

/// The buffers that a received frame goes to.
struct GatheredBuffers {
    var chains: [DescriptorChains.Chain] = []
    /// Bytes that are written to each.
    var written: [UInt32] = []

    /// Room for as many as there can be, so that nothing grows later.
    init() {
        chains.reserveCapacity(Int(VirtioNetOptions.queueSize))
        written.reserveCapacity(Int(VirtioNetOptions.queueSize))
    }

    mutating func removeAll() {
        chains.removeAll(keepingCapacity: true)
        written.removeAll(keepingCapacity: true)
    }
}

/// "Setting Up Receive Buffers", "Processing of Incoming Packets".
extension VirtioNetModel {
    private enum Delivery { case done, dropped, starved }

    /// Up to 64 frames. The wire is the receive FIFO: without buffers a frame waits there, and a full wire drops.
    mutating func stepReceive() -> Bool {
        guard var frame = wire.nextReceived() else { return false }
        var current = -1
        var queue = Virtqueue(size: 0)
        var limit: Virtqueue.Limit?
        var taken = 0
        while taken < 64 {
            if let index = destination(of: frame) {
                if index != current {
                    if current >= 0 { finishReceive(current, &queue) }
                    current = index
                    queue = transport.queues[index]
                    limit = queue.look()
                }
                if deliver(frame, to: &queue, &limit) == .starved {
                    if !isStarving { counters.starvations &+= 1 }
                    isStarving = true
                    break
                }
                isStarving = false
            }
            wire.dropReceived()
            taken &+= 1
            guard let next = wire.nextReceived() else { break }
            frame = next
        }
        if current >= 0 { finishReceive(current, &queue) }
        return taken > 0
    }

    /// What was used becomes visible, and the driver hears of it if it wants to.
    @inline(__always)
    private mutating func finishReceive(_ index: Int, _ queue: inout Virtqueue) {
        queue.publish()
        notifyUsed(&queue)
        transport.queues[index] = queue
        if queue.violation != nil { noteViolation(of: index) }
    }

    /// The queue that a frame is for; nil: nobody wants it.
    @inline(__always)
    private mutating func destination(of frame: MemoryWindow) -> Int? {
        guard frame.byteCount >= 14, frame.byteCount <= options.mtu &+ 14 || isTaggedAndFits(frame) else {
            counters.framesTooLong &+= 1
            return nil
        }
        guard filter.accepts(E1000EDestination(of: frame)) else {
            counters.framesFiltered &+= 1
            return nil
        }
        var pair = steering.pair(of: frame)
        // A queue that is not there: with flows any other will do, with a table none.
        if !transport.queues[VirtioNet.receiveQueue(ofPair: pair)].isReady, steering.mode == .flows { pair = 0 }
        let index = VirtioNet.receiveQueue(ofPair: pair)
        guard transport.queues[index].isReady else {
            counters.framesWhileOff &+= 1
            return nil
        }
        return index
    }

    /// "The device MUST NOT pass received packets that exceed mtu (plus low level ethernet header length)".
    private func isTaggedAndFits(_ frame: MemoryWindow) -> Bool {
        frame.byteCount <= options.mtu &+ 18 && frame.load16(at: 12).byteSwapped == 0x8100
    }

    @inline(__always)
    private mutating func deliver(_ frame: MemoryWindow, to queue: inout Virtqueue, _ limit: inout Virtqueue.Limit?) -> Delivery {
        let needed = VirtioNet.Header.byteCount &+ frame.byteCount
        var cursor = queue.available
        var taken = limit.flatMap { queue.take(&cursor, $0) }
        if taken == nil {
            // The driver may have added some since the last look.
            limit = queue.look()
            taken = limit.flatMap { queue.take(&cursor, $0) }
        }
        guard let buffer = taken else { return queue.isReady ? .starved : .dropped }
        guard buffer.isPlainWritable, Int(buffer.byteCount) >= needed,
            let target = dma.translate(IOVA(buffer.address), byteCount: needed, access: .write)
        else { return deliverSlowly(frame, to: &queue, limit) }
        let header = VirtioNet.Header(flags: checkedFlags(of: frame), bufferCount: 1)
        store(header, at: buffer.address, in: target)
        frame.copy(at: 0, byteCount: frame.byteCount, to: target, at: VirtioNet.Header.byteCount)
        queue.available = cursor
        queue.use(buffer, written: UInt32(truncatingIfNeeded: needed))
        countReceived(frame.byteCount)
        return .done
    }

    @inline(__always)
    private mutating func countReceived(_ byteCount: Int) {
        counters.framesReceived &+= 1
        counters.bytesReceived &+= UInt64(truncatingIfNeeded: byteCount)
    }

    /// Headers lie on multiples of 4, but for odd drivers.
    @inline(__always)
    private func store(_ header: VirtioNet.Header, at address: UInt64, in target: MemoryWindow) {
        if address & 3 == 0 {
            target.store32(UInt32(truncatingIfNeeded: header.word0), at: 0)
            target.store32(UInt32(truncatingIfNeeded: header.word0 &>> 32), at: 4)
            target.store32(header.word1, at: 8)
        } else {
            put(header)
            bounce.copy(at: 0, byteCount: VirtioNet.Header.byteCount, to: target, at: 0)
        }
    }

    /// Into memory of our own.
    private func put(_ header: VirtioNet.Header) {
        bounce.store64(header.word0, at: 0)
        bounce.store32(header.word1, at: 8)
    }

    /// DATA_VALID if the frame's transport checksum is right and the driver wants to know.
    @inline(__always)
    private func checkedFlags(of frame: MemoryWindow) -> VirtioNet.HeaderFlags {
        guard transport.features.contains(.guestChecksum) else { return [] }
        return hasRightChecksum(frame) ? .dataValid : []
    }

    private func hasRightChecksum(_ frame: MemoryWindow) -> Bool {
        var type = frame.load16(at: 12).byteSwapped
        var network = 14
        if type == 0x8100, frame.byteCount >= 18 {
            type = frame.load16(at: 16).byteSwapped
            network = 18
        }
        var checked = ReceiveChecksum(frame, etherType: type, network: network, checksIP: false, checksTransport: true)
        checked.sum(frame)
        return checked.status.contains(.tcpChecksumChecked) && !checked.status.contains(.tcpUDPChecksumError)
    }

    // MARK: Buffers of several pieces, and several buffers

    @inline(never)
    private mutating func deliverSlowly(_ frame: MemoryWindow, to queue: inout Virtqueue, _ limit: Virtqueue.Limit?) -> Delivery {
        let needed = UInt64(VirtioNet.Header.byteCount + frame.byteCount)
        var cursor = queue.available
        guard let room = gather(needed, from: &queue, &cursor, limit) else { return .dropped }
        guard room >= needed else {
            // One buffer has to hold it, or the whole ring could not: it never will be delivered.
            let isHopeless = !mergesBuffers && !gathered.chains.isEmpty || usesWholeRing(queue)
            if isHopeless { counters.framesTooLong &+= 1 }
            return isHopeless ? .dropped : .starved
        }
        put(VirtioNet.Header(flags: checkedFlags(of: frame), bufferCount: UInt16(truncatingIfNeeded: gathered.chains.count)))
        guard write(frame) else {
            queue.stop(.unreachable)
            return .dropped
        }
        queue.available = cursor
        let (chains, written) = (gathered.chains, gathered.written)
        queue.use(together: chains.count) { (chains[$0].buffer, written: written[$0]) }
        countReceived(frame.byteCount)
        return .done
    }

    private var mergesBuffers: Bool { transport.features.contains(.mergeableBuffers) }

    /// Takes buffers until they hold `needed` bytes, or there are no more. Returns what they hold; nil: the queue was stopped.
    private mutating func gather(
        _ needed: UInt64, from queue: inout Virtqueue, _ cursor: inout RingCursor, _ limit: Virtqueue.Limit?
    ) -> UInt64? {
        chains.removeAll()
        gathered.removeAll()
        var room: UInt64 = 0
        guard let limit else { return 0 }
        let most = mergesBuffers ? Int(queue.size) : 1
        while room < needed, gathered.chains.count < most, let buffer = queue.take(&cursor, limit) {
            let allowsIndirect = transport.features.contains(.indirectDescriptors)
            guard let chain = chains.follow(buffer, of: &queue, &cursor, allowsIndirect: allowsIndirect, dma: dma) else { return nil }
            // "Each buffer MUST be at least the size of the header"; without merging one that holds no header holds nothing.
            guard chain.writableByteCount >= UInt64(VirtioNet.Header.byteCount) else {
                queue.stop(.tooSmall)
                return nil
            }
            gathered.chains.append(chain)
            room += chain.writableByteCount
        }
        return queue.isReady ? room : nil
    }

    /// All descriptors of the ring are in the gathered buffers.
    private func usesWholeRing(_ queue: Virtqueue) -> Bool {
        gathered.chains.reduce(0) { $0 + Int($1.buffer.slots) } >= Int(queue.size)
    }

    /// Header, then frame; every buffer but the last is filled. False: a piece cannot be reached.
    private mutating func write(_ frame: MemoryWindow) -> Bool {
        let header = VirtioNet.Header.byteCount
        var done = 0
        for (index, chain) in gathered.chains.enumerated() {
            var place = 0
            if index == 0 {
                guard chains.write(chain, at: 0, bounce, from: 0, byteCount: header, dma: dma) else { return false }
                place = header
            }
            let here = min(Int(clamping: chain.writableByteCount) - place, frame.byteCount - done)
            if here > 0 {
                guard chains.write(chain, at: place, frame, from: done, byteCount: here, dma: dma) else { return false }
            }
            done += here
            gathered.written.append(UInt32(truncatingIfNeeded: place + here))
        }
        return done == frame.byteCount
    }
}
