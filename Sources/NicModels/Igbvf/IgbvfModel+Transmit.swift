import DeviceMemory
import NicRegisters

/// What a transmit queue remembers between descriptors: a frame in the making and both contexts.
struct IgbvfTransmitQueue {
    /// The longest frame of the wire; longer ones are refused.
    static let capacity = 12_288

    /// Frame bytes so far: the first `byteCount`.
    let buffer: MemoryWindow
    var byteCount = 0
    /// The frame's first descriptor was seen: options and context are its.
    var isStarted = false
    /// The frame cannot be sent: too long, of an unknown kind, or its memory could not be read.
    var isBroken = false
    var options: E1000E.TxPacketOptions = []
    var contextIndex = 0
    var contexts = InlineArray<2, Igbvf.TxContextDescriptor>(repeating: .init(word0: 0, word1: 0))
    /// It stands still for as long as this is so.
    var stall: E1000EStall?

    init(buffer: MemoryWindow) { self.buffer = buffer }

    mutating func reset() {
        stall = nil
        startFrame()
        contexts = InlineArray(repeating: .init(word0: 0, word1: 0))
    }

    mutating func startFrame() {
        byteCount = 0
        isStarted = false
        isBroken = false
        options = []
    }
}

extension IgbvfModel {
    /// Up to 64 descriptors of one queue.
    mutating func stepTransmit(_ queue: Int) -> Bool {
        guard Igbvf.QueueControl(bits: shared.load32(at: Igbvf.txdctl[queue].offset)).contains(.enable) else { return false }
        if transmit[queue].stall != nil, isStalled(queue) { return false }
        var ring: E1000ERing
        switch E1000ERing.read(
            shared, dma: dma, head: Igbvf.tdh[queue], tail: Igbvf.tdt[queue], length: Igbvf.tdlen[queue], low: Igbvf.tdbal[queue],
            high: Igbvf.tdbah[queue])
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
            guard let window = ring.headDescriptor(dma) else {
                // No answer to the read of a descriptor: the queue stands still.
                counters.dmaFaults &+= 1
                transmit[queue].stall = stall(of: queue)
                break
            }
            var descriptor = Igbvf.TxDataDescriptor(word0: window.load64(at: 0), word1: window.load64(at: 8))
            work(queue, descriptor)
            if descriptor.command.contains(.reportStatus) {
                descriptor.isDone = true
                DeviceBarrier.publishToDevice()
                window.store64(descriptor.word1, at: 8)
                reported = true
            }
            ring.advance()
            taken += 1
        }
        guard taken > 0 else { return false }
        wire.flush()
        shared.store32(ring.head, at: Igbvf.tdh[queue].offset)
        if reported { raise(registers.read(Igbvf.vtivar).transmitVector(queue: queue)) }
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
            shared, dma: dma, head: Igbvf.tdh[queue], tail: Igbvf.tdt[queue], length: Igbvf.tdlen[queue], low: Igbvf.tdbal[queue],
            high: Igbvf.tdbah[queue])
    }

    @inline(__always)
    private mutating func work(_ queue: Int, _ descriptor: Igbvf.TxDataDescriptor) {
        switch Igbvf.TxDescriptorKind(word1: descriptor.word1) {
        case .data: transmitData(queue, descriptor)
        case .context:
            let context = Igbvf.TxContextDescriptor(word0: descriptor.word0, word1: descriptor.word1)
            transmit[queue].contexts[context.index] = context
        case .other:
            counters.badDescriptors &+= 1
            transmit[queue].isBroken = true
            if descriptor.command.contains(.endOfPacket) {
                counters.framesNotSent &+= 1
                transmit[queue].startFrame()
            }
        }
    }

    @inline(__always)
    private mutating func transmitData(_ queue: Int, _ descriptor: Igbvf.TxDataDescriptor) {
        let length = Int(descriptor.length)
        let plain: E1000E.TxCommand = [.endOfPacket, .insertFCS]
        // Bits 31 and 30 are TSE and VLE here: what this model leaves out.
        let isRare = descriptor.word1 & 0xc000_0000 != 0
        if !transmit[queue].isStarted, !transmit[queue].isBroken, !isRare, descriptor.command.isSuperset(of: plain),
            descriptor.options.isEmpty, length >= 60, length <= wireMaximumFrameByteCount,
            let window = dma.translate(IOVA(descriptor.bufferAddress), byteCount: length, access: .read)
        {
            send(window)
            return
        }
        if isRare || !descriptor.command.contains(.insertFCS) {
            counters.badDescriptors &+= 1
            transmit[queue].isBroken = true
        }
        assemble(queue, descriptor)
        if descriptor.command.contains(.endOfPacket) { finish(queue) }
    }

    @inline(__always)
    private mutating func send(_ frame: MemoryWindow) {
        add(1, to: Igbvf.vfgptc)
        add(UInt32(truncatingIfNeeded: frame.byteCount + 4), to: Igbvf.vfgotc)
        counters.framesSent &+= 1
        wire.send(frame)
    }

    /// Appends a descriptor's data to the frame; the first descriptor's options hold for all of it.
    private mutating func assemble(_ queue: Int, _ descriptor: Igbvf.TxDataDescriptor) {
        if !transmit[queue].isStarted {
            transmit[queue].isStarted = true
            transmit[queue].options = descriptor.options
            transmit[queue].contextIndex = descriptor.contextIndex
        }
        let length = Int(descriptor.length)
        guard length > 0, !transmit[queue].isBroken else { return }
        let at = transmit[queue].byteCount
        guard length <= IgbvfTransmitQueue.capacity - at else {
            counters.badDescriptors &+= 1
            transmit[queue].isBroken = true
            return
        }
        guard dma.read(IOVA(descriptor.bufferAddress), byteCount: length, to: transmit[queue].buffer, at: at) else {
            counters.dmaFaults &+= 1
            transmit[queue].isBroken = true
            return
        }
        transmit[queue].byteCount = at + length
    }

    /// Checksums and padding, then the wire. The PF has TCTL.PSP on, which pads from 17 bytes up.
    private mutating func finish(_ queue: Int) {
        defer { transmit[queue].startFrame() }
        let frame = transmit[queue]
        guard !frame.isBroken, frame.byteCount >= Igbvf.shortestSentFrame, frame.byteCount <= wireMaximumFrameByteCount else {
            counters.framesNotSent &+= 1
            return
        }
        insertChecksums(frame.buffer.slice(at: 0, byteCount: frame.byteCount), frame)
        let length = max(60, frame.byteCount)
        if length > frame.byteCount { frame.buffer.slice(at: frame.byteCount, byteCount: length - frame.byteCount).fill(0) }
        send(frame.buffer.slice(at: 0, byteCount: length))
    }

    /// Where checksums go follows from the context's lengths and kinds: IPv4 (RFC 791 §3.1) has its at byte 10, UDP
    /// (RFC 768) at 6, TCP (RFC 9293 §3.1) at 16.
    private mutating func insertChecksums(_ frame: MemoryWindow, _ queue: IgbvfTransmitQueue) {
        let context = queue.contexts[queue.contextIndex & 1]
        let network = context.linkHeaderByteCount
        let transport = network + context.networkHeaderByteCount
        if queue.options.contains(.insertIPChecksum), context.isIPv4 {
            insertChecksum(frame, from: network, to: transport, place: 10, zeroIsOnes: false)
        }
        if queue.options.contains(.insertTCPUDPChecksum), !context.isSCTP {
            insertChecksum(frame, from: transport, to: frame.byteCount, place: context.isTCP ? 16 : 6, zeroIsOnes: !context.isTCP)
        }
    }

    /// Sums the range, the driver's seed in it, and stores the complement. A range outside of the frame does nothing.
    /// - Parameter zeroIsOnes: UDP sends all ones for zero (RFC 768).
    private mutating func insertChecksum(_ frame: MemoryWindow, from start: Int, to end: Int, place: Int, zeroIsOnes: Bool) {
        guard start > 0, end <= frame.byteCount, start + place + 2 <= end else {
            counters.badDescriptors &+= 1
            return
        }
        var sum = ~Checksum.sum(frame, at: start, byteCount: end - start)
        if sum == 0, zeroIsOnes { sum = 0xffff }
        frame.store16(sum.byteSwapped, at: start + place)
    }
}
