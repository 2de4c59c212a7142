import DeviceMemory
import NicRegisters

/// What a transmit queue remembers between descriptors: a frame in the making and the last context.
struct E1000ETransmitQueue {
    /// A whole segmentation: 20-bit payload lengths are refused beyond this.
    static let capacity = 81_920

    /// Frame bytes so far: the first `byteCount`.
    let buffer: MemoryWindow
    var byteCount = 0
    /// A descriptor of the frame was seen: `options` and `segments` are set.
    var isStarted = false
    /// The frame cannot be sent: too long, or its memory could not be read.
    var isBroken = false
    var options: E1000E.TxPacketOptions = []
    var segments = false
    var context = E1000E.TxContextDescriptor(word0: 0, word1: 0)
    /// It stands still for as long as this is so.
    var stall: E1000EStall?

    init(buffer: MemoryWindow) { self.buffer = buffer }

    mutating func reset() {
        stall = nil
        startFrame()
        context = E1000E.TxContextDescriptor(word0: 0, word1: 0)
    }

    mutating func startFrame() {
        byteCount = 0
        isStarted = false
        isBroken = false
        options = []
        segments = false
    }
}

extension E1000EModel {
    mutating func updateTransmitSettings() {
        let control = registers.read(E1000E.tctl)
        isTransmitEnabled = control.contains(.enable)
        padsShortFrames = control.contains(.padShortPackets)
        updateMemoryAccess()
    }

    /// Up to 64 descriptors of one queue. TARC's enable bit is not asked for.
    mutating func stepTransmit(_ queue: Int) -> Bool {
        if transmit[queue].stall != nil, isStalled(queue) { return false }
        var ring: E1000ERing
        switch E1000ERing.read(
            shared, dma: dma, head: E1000E.tdh[queue], tail: E1000E.tdt[queue], length: E1000E.tdlen[queue],
            low: E1000E.tdbal[queue], high: E1000E.tdbah[queue])
        {
        case .empty: return false
        case .impossible:
            counters.badRings &+= 1
            return false
        case .ring(let valid): ring = valid
        }
        var reported = false
        var taken = 0
        while taken < 64, ring.head != ring.tail {
            guard let descriptor = ring.headDescriptor(dma) else {
                // No answer to the read of a descriptor: the queue stands still.
                counters.dmaFaults &+= 1
                transmit[queue].stall = stall(of: queue)
                break
            }
            let word0 = descriptor.load64(at: 0)
            let word1 = descriptor.load64(at: 8)
            work(queue, word0, word1)
            let command = E1000E.TxLegacyDescriptor(word0: word0, word1: word1).command
            if command.contains(.reportStatus) {
                var done = E1000E.TxLegacyDescriptor(word0: word0, word1: word1)
                done.status = .done
                DeviceBarrier.publishToDevice()
                descriptor.store64(done.word1, at: 8)
                reported = true
            }
            ring.advance()
            taken += 1
        }
        guard taken > 0 else { return false }
        wire.flush()
        shared.store32(ring.head, at: E1000E.tdh[queue].offset)
        var causes: E1000E.InterruptCause = ring.head == ring.tail ? .transmitQueueEmpty : []
        if reported { causes.formUnion([.transmitWriteBack, queue == 0 ? .transmitQueue0 : .transmitQueue1]) }
        if !causes.isEmpty { raise(causes) }
        return true
    }

    /// Apart from the quick way.
    @inline(never)
    private mutating func isStalled(_ queue: Int) -> Bool {
        if transmit[queue].stall == stall(of: queue) { return true }
        transmit[queue].stall = nil
        return false
    }

    @inline(never)
    private func stall(of queue: Int) -> E1000EStall {
        E1000EStall(
            shared, dma: dma, head: E1000E.tdh[queue], tail: E1000E.tdt[queue], length: E1000E.tdlen[queue],
            low: E1000E.tdbal[queue], high: E1000E.tdbah[queue])
    }

    @inline(__always)
    private mutating func work(_ queue: Int, _ word0: UInt64, _ word1: UInt64) {
        switch E1000E.TxDescriptorKind(word1: word1) {
        case .legacy:
            let descriptor = E1000E.TxLegacyDescriptor(word0: word0, word1: word1)
            transmitData(
                queue, descriptor.bufferAddress, Int(descriptor.length), descriptor.command, [], false, descriptor)
        case .data:
            let descriptor = E1000E.TxDataDescriptor(word0: word0, word1: word1)
            transmitData(
                queue, descriptor.bufferAddress, Int(descriptor.length), descriptor.command, descriptor.options,
                descriptor.command.contains(.segmentation), nil)
        case .context:
            transmit[queue].context = E1000E.TxContextDescriptor(word0: word0, word1: word1)
        case .reserved:
            counters.badDescriptors &+= 1
            transmit[queue].isBroken = true
            if E1000E.TxDataDescriptor(word0: word0, word1: word1).command.contains(.endOfPacket) {
                counters.framesNotSent &+= 1
                transmit[queue].startFrame()
            }
        }
    }

    /// A legacy descriptor's insertChecksum has the same bit as a data descriptor's segmentation.
    @inline(__always)
    private mutating func transmitData(
        _ queue: Int, _ address: UInt64, _ length: Int, _ command: E1000E.TxCommand, _ options: E1000E.TxPacketOptions,
        _ segments: Bool, _ legacy: E1000E.TxLegacyDescriptor?
    ) {
        let plain: E1000E.TxCommand = [.endOfPacket, .insertFCS]
        let rare: E1000E.TxCommand = [.segmentation, .insertVLAN]
        if !transmit[queue].isStarted, !transmit[queue].isBroken, command.isSuperset(of: plain), command.isDisjoint(with: rare),
            options.isEmpty, length >= 60, length <= wireMaximumFrameByteCount,
            let window = dma.translate(IOVA(address), byteCount: length, access: .read)
        {
            send(window)
            return
        }
        assemble(queue, address, length, options, segments)
        guard command.contains(.endOfPacket) else { return }
        finish(queue, command, legacy, vlanTag: UInt16(truncatingIfNeeded: legacy?.vlanTag ?? 0))
    }

    @inline(__always)
    mutating func send(_ frame: MemoryWindow) {
        statistics.countSent(byteCount: frame.byteCount + 4, destination: E1000EDestination(of: frame))
        counters.framesSent &+= 1
        wire.send(frame)
    }

    /// Appends a descriptor's data to the frame.
    private mutating func assemble(
        _ queue: Int, _ address: UInt64, _ length: Int, _ options: E1000E.TxPacketOptions, _ segments: Bool
    ) {
        // The first data descriptor's options hold for the frame.
        if !transmit[queue].isStarted {
            transmit[queue].isStarted = true
            transmit[queue].options = options
            transmit[queue].segments = segments
        }
        // Null addresses and lengths transfer nothing.
        guard length > 0, address != 0, !transmit[queue].isBroken else { return }
        let at = transmit[queue].byteCount
        guard length <= E1000ETransmitQueue.capacity - at else {
            counters.badDescriptors &+= 1
            transmit[queue].isBroken = true
            return
        }
        guard dma.read(IOVA(address), byteCount: length, to: transmit[queue].buffer, at: at) else {
            counters.dmaFaults &+= 1
            transmit[queue].isBroken = true
            return
        }
        transmit[queue].byteCount = at + length
    }

    // MARK: End of a frame

    private mutating func finish(_ queue: Int, _ command: E1000E.TxCommand, _ legacy: E1000E.TxLegacyDescriptor?, vlanTag: UInt16) {
        defer { transmit[queue].startFrame() }
        let frame = transmit[queue]
        guard !frame.isBroken else {
            counters.framesNotSent &+= 1
            return
        }
        guard frame.byteCount > 0 else { return }
        if frame.segments {
            sendSegments(frame, command, vlanTag)
            return
        }
        var length = frame.byteCount
        if !command.contains(.insertFCS) {
            // The driver's own FCS: nobody on the wire would take a wrong one.
            guard length > 18, Checksum.ethernetCRC(frame.buffer, byteCount: length - 4) == frame.buffer.load32(at: length - 4) else {
                counters.framesNotSent &+= 1
                return
            }
            length -= 4
        }
        guard length >= 14, length <= wireMaximumFrameByteCount else {
            counters.framesNotSent &+= 1
            return
        }
        insertChecksums(frame.buffer.slice(at: 0, byteCount: length), frame, command, legacy)
        sendTagged(frame.buffer, length, command, vlanTag)
    }

    /// Tag and padding, then the wire.
    /// - Parameter buffer: `length` bytes are the frame's; at least 9014 are there.
    mutating func sendTagged(_ buffer: MemoryWindow, _ length: Int, _ command: E1000E.TxCommand, _ tag: UInt16) {
        var source = buffer
        var length = length
        if command.contains(.insertVLAN), receive.stripsVLAN {
            guard length + 4 <= wireMaximumFrameByteCount else {
                counters.framesNotSent &+= 1
                return
            }
            buffer.copy(at: 0, byteCount: 12, to: bounce, at: 0)
            bounce.store16(receive.vlanEtherType.byteSwapped, at: 12)
            bounce.store16(tag.byteSwapped, at: 14)
            buffer.copy(at: 12, byteCount: length - 12, to: bounce, at: 16)
            source = bounce
            length += 4
        }
        if padsShortFrames, length < 60 {
            source.slice(at: length, byteCount: 60 - length).fill(0)
            length = 60
        }
        send(source.slice(at: 0, byteCount: length))
    }

    private mutating func insertChecksums(
        _ frame: MemoryWindow, _ queue: E1000ETransmitQueue, _ command: E1000E.TxCommand, _ legacy: E1000E.TxLegacyDescriptor?
    ) {
        if let legacy {
            guard command.contains(.insertChecksum) else { return }
            let range = E1000E.TxChecksumRange(start: legacy.checksumStart, offset: legacy.checksumOffset)
            insertChecksum(frame, range, zeroIsOnes: false)
            return
        }
        if queue.options.contains(.insertIPChecksum) { insertChecksum(frame, queue.context.ip, zeroIsOnes: false) }
        if queue.options.contains(.insertTCPUDPChecksum) {
            insertChecksum(frame, queue.context.tcpUDP, zeroIsOnes: !queue.context.command.contains(.contextTCP))
        }
    }

    /// Sums the range, the driver's seed in it, and stores the complement. A range outside of the frame does nothing
    /// (Intel's PCI/PCI-X SDM §3.3.3.1, table of the command field: ignored if out of range).
    /// - Parameter zeroIsOnes: UDP sends all ones for zero (RFC 768).
    mutating func insertChecksum(_ frame: MemoryWindow, _ range: E1000E.TxChecksumRange, seed: UInt64 = 0, zeroIsOnes: Bool) {
        let start = Int(range.start)
        let end = range.end == 0 ? frame.byteCount : Int(range.end) + 1
        guard start < end, end <= frame.byteCount, Int(range.offset) + 2 <= frame.byteCount else {
            counters.badDescriptors &+= 1
            return
        }
        var sum = ~Checksum.sum(frame, at: start, byteCount: end - start, seed: seed)
        if sum == 0, zeroIsOnes { sum = 0xffff }
        frame.store16(sum.byteSwapped, at: Int(range.offset))
    }
}
