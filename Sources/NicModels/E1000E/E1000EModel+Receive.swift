import DeviceMemory
import NicRegisters

/// RCTL, RXCSUM, RFCTL, CTRL.VME and VET, decoded when they are written.
struct E1000EReceiveSettings {
    var isEnabled = false
    var bufferByteCount = 2048
    var acceptsLong = false
    var stripsFCS = false
    var usesExtendedFormat = false
    var filtersVLAN = false
    var stripsVLAN = false
    var vlanEtherType: UInt16 = 0x8100
    var checksIP = false
    var checksTransport = false
    /// Descriptors carry the packet checksum, from this byte on; nil: the RSS hash.
    var packetChecksumStart: Int?
    /// RXDMT0 when the free part of the ring falls to its size shifted by this.
    var thresholdShift: UInt32 = 1
    /// No descriptor for the frame that waits: said once.
    var isStarving = false
    /// How flows are spread over both queues; nil: all frames go to queue 0.
    var spreading: E1000ESpreading?
}

extension E1000EModel {
    /// Of long frames a step takes no more, so that the driver works on them while the sender goes on.
    private static var stepByteCount: Int { 32_768 }
    /// Longest frame without FCS that RCTL.LPE lets in: the family goes further, this wire does not.
    private static var longLimit: Int { min(E1000E.maximumLongFrame, wireMaximumFrameByteCount) }

    mutating func updateReceiveSettings() {
        let control = registers.read(E1000E.rctl)
        let checksums = registers.read(E1000E.rxcsum)
        let wasEnabled = receive.isEnabled
        // Packet split's descriptors have another size: not offered, and not guessed.
        receive.isEnabled = control.contains(.enable) && control.descriptorType == 0
        receive.bufferByteCount = control.bufferByteCount
        receive.acceptsLong = control.contains(.longPackets)
        receive.stripsFCS = control.contains(.stripCRC)
        receive.filtersVLAN = control.contains(.vlanFilter)
        receive.thresholdShift = control.descriptorThreshold + 1
        receive.usesExtendedFormat = registers.read(E1000E.rfctl).contains(.extendedStatus)
        receive.stripsVLAN = registers.read(E1000E.ctrl).contains(.vlanMode)
        receive.vlanEtherType = UInt16(truncatingIfNeeded: registers.read(E1000E.vet))
        receive.checksIP = checksums.contains(.ipOffload)
        receive.checksTransport = checksums.contains(.tcpUDPOffload)
        receive.packetChecksumStart = checksums.contains(.packetChecksumDisable) ? nil : Int(checksums.start)
        receive.spreading = E1000ESpreading(registers)
        updateMemoryAccess()
        if receive.isEnabled, !wasEnabled { discardOlder() }
    }

    /// Frames from before receive was on are gone on hardware; bounded, for the sender may be quick.
    private mutating func discardOlder() {
        receive.isStarving = false
        for _ in 0..<4096 {
            guard wire.nextReceived() != nil else { return }
            wire.dropReceived()
            counters.framesWhileOff &+= 1
        }
    }

    // MARK: A step

    /// Up to 64 frames. The wire is the receive FIFO of both queues: without descriptors a frame waits there, and a full
    /// wire drops.
    mutating func stepReceive() -> Bool {
        guard receive.spreading != nil else { return stepReceive(queue: 0, limit: 64) > 0 }
        var taken = 0
        while taken < 64, let frame = wire.nextReceived() {
            let count = stepReceive(queue: spread(frame).queue, limit: 64 - taken)
            if count == 0 { break }
            taken += count
        }
        return taken > 0
    }

    /// The hash of a frame's flow, and the queue that follows from it.
    private func spread(_ frame: MemoryWindow) -> E1000ESpreading.Verdict { receive.spreading?.judge(frame) ?? .none }

    /// Frames of one queue, until one of the other comes. Returns how many were taken.
    @inline(__always)
    private mutating func stepReceive(queue: Int, limit: Int) -> Int {
        guard var frame = wire.nextReceived() else { return 0 }
        var ring: E1000ERing?
        switch E1000ERing.read(
            shared, dma: dma, head: E1000E.rdh[queue], tail: E1000E.rdt[queue], length: E1000E.rdlen[queue], low: E1000E.rdbal[queue],
            high: E1000E.rdbah[queue])
        {
        case .empty: break
        case .impossible: counters.badRings &+= 1
        case .ring(let valid): ring = valid
        }
        if ring == nil, receive.isStarving { return 0 }
        let availableBefore = ring?.available ?? 0
        let headBefore = ring?.head ?? 0
        var causes: E1000E.InterruptCause = []
        var taken = 0
        var byteCount = 0
        while taken < limit, byteCount < Self.stepByteCount {
            guard accept(frame, &ring, &causes) else { break }
            byteCount &+= frame.byteCount
            wire.dropReceived()
            receive.isStarving = false
            taken += 1
            guard let next = wire.nextReceived() else { break }
            if receive.spreading != nil, spread(next).queue != queue { break }
            frame = next
        }
        if let ring, ring.head != headBefore {
            causes.formUnion([.receiveTimer, .receiveQueue(queue)])
            shared.store32(ring.head, at: E1000E.rdh[queue].offset)
            let threshold = ring.count >> receive.thresholdShift
            if availableBefore > threshold, ring.available <= threshold { causes.insert(.receiveThreshold) }
        }
        if !causes.isEmpty { raise(causes) }
        return taken
    }

    /// Filters a frame and writes it to the driver. False: it has to wait for descriptors.
    private mutating func accept(_ frame: MemoryWindow, _ ring: inout E1000ERing?, _ causes: inout E1000E.InterruptCause) -> Bool {
        let length = frame.byteCount
        guard length >= 14 else {
            statistics.count(E1000E.ruc)
            return true
        }
        if !receive.isStarving { statistics.countArrived(byteCount: length + 4) }
        let isLegal = judgeLength(length)
        let destination = E1000EDestination(of: frame)
        let verdict = filter.judge(destination, hashTable: registers)
        let etherType = frame.load16(at: 12).byteSwapped
        let isTagged = etherType == receive.vlanEtherType && length >= 18
        guard isLegal, verdict != .refused, !isTagged || passesVLAN(frame) else {
            if isLegal { counters.framesFiltered &+= 1 }
            return true
        }
        var status: E1000E.RxStatus = [.done, .endOfPacket]
        if verdict == .inexact { status.insert(.passedInexactFilter) }
        var prepared = prepare(frame, isTagged, etherType, &status)
        return deliver(&prepared, length + 4, destination, status, &ring, &causes)
    }

    /// 60 bytes at least (IEEE 802.3 §3.2.8 less FCS), the limit of RCTL.LPE at most.
    private mutating func judgeLength(_ length: Int) -> Bool {
        if length < 60 {
            statistics.count(E1000E.ruc)
            return false
        }
        if length > (receive.acceptsLong ? Self.longLimit : E1000E.maximumShortFrame) {
            statistics.count(E1000E.roc)
            return false
        }
        return true
    }

    private func passesVLAN(_ frame: MemoryWindow) -> Bool {
        guard receive.filtersVLAN else { return true }
        let (row, mask) = E1000E.tableBit(UInt32(frame.load16(at: 14).byteSwapped & 0xfff))
        return registers.read(E1000E.vfta[row]) & mask != 0
    }

    /// A frame as it goes to the driver's memory, with what the last descriptor says of it.
    struct Prepared {
        var bytes: MemoryWindow
        var tag: UInt16 = 0
        /// IPv4 identification low, packet checksum high; the RSS hash if RXCSUM.PCSD.
        var checksumWord: UInt32 = 0
        var spread = E1000ESpreading.Verdict.none
        /// The last descriptor's status has this one's beside the other bits.
        var checksum: ReceiveChecksum
    }

    /// Checksums, tag and FCS.
    @inline(__always)
    private mutating func prepare(
        _ frame: MemoryWindow, _ isTagged: Bool, _ etherType: UInt16, _ status: inout E1000E.RxStatus
    ) -> Prepared {
        let network = isTagged ? 18 : 14
        let inner = isTagged ? frame.load16(at: 16).byteSwapped : etherType
        let checked = ReceiveChecksum(
            frame, etherType: inner, network: network, checksIP: receive.checksIP, checksTransport: receive.checksTransport)
        var prepared = Prepared(bytes: frame, checksum: checked)
        if isTagged, receive.stripsVLAN {
            status.insert(.vlanPacket)
            prepared.tag = frame.load16(at: 14).byteSwapped
        }
        if let start = receive.packetChecksumStart, receive.checksIP || receive.checksTransport || !receive.usesExtendedFormat {
            let count = max(0, frame.byteCount - start)
            let sum = count == 0 ? 0 : Checksum.sum(frame, at: start, byteCount: count)
            prepared.checksumWord = UInt32(checked.identification) | UInt32(sum) << 16
        } else {
            prepared.checksum.status.remove(.ipIdentificationValid)
        }
        if receive.spreading != nil {
            prepared.spread = spread(frame)
            prepared.checksumWord = prepared.spread.hash
        }
        if status.contains(.vlanPacket) || !receive.stripsFCS {
            prepared.checksum.sum(frame)
            prepared.bytes = rebuild(frame, status)
        }
        return prepared
    }

    /// A copy without tag, with FCS, as asked for.
    private mutating func rebuild(_ frame: MemoryWindow, _ status: E1000E.RxStatus) -> MemoryWindow {
        var length = frame.byteCount
        if status.contains(.vlanPacket) {
            frame.copy(at: 0, byteCount: 12, to: bounce, at: 0)
            frame.copy(at: 16, byteCount: length - 16, to: bounce, at: 12)
            length -= 4
        } else {
            frame.copy(at: 0, byteCount: length, to: bounce, at: 0)
        }
        if !receive.stripsFCS {
            bounce.store32(Checksum.ethernetCRC(bounce, byteCount: length), at: length)
            length += 4
        }
        return bounce.slice(at: 0, byteCount: length)
    }

    // MARK: Descriptors

    /// Spreads a frame over as many descriptors as it needs. False: not enough yet, nothing written.
    private mutating func deliver(
        _ frame: inout Prepared, _ wireByteCount: Int, _ destination: E1000EDestination, _ status: E1000E.RxStatus,
        _ ring: inout E1000ERing?, _ causes: inout E1000E.InterruptCause
    ) -> Bool {
        let total = frame.bytes.byteCount
        let size = receive.bufferByteCount
        let needed = total <= size ? 1 : (total + size - 1) / size
        guard var current = ring, Int(current.available) >= needed else { return starve(needed, ring, &causes) }
        if needed > 1 { frame.checksum.sum(frame.bytes) }
        var offset = 0
        while offset < total {
            guard current.head != current.tail, let descriptor = current.headDescriptor(dma) else {
                loseRest(hasDescriptors: current.head != current.tail)
                ring = current
                return true
            }
            let buffer = descriptor.load64(at: 0)
            // A null descriptor takes no data (QEMU e1000e_write_packet_to_guest).
            let here = buffer == 0 ? 0 : min(size, total - offset)
            if here > 0, !copy(&frame, at: offset, byteCount: here, to: IOVA(buffer)) { counters.dmaFaults &+= 1 }
            if buffer == 0 { counters.badDescriptors &+= 1 }
            offset += here
            let isLast = offset == total && here > 0
            writeBack(
                descriptor, current.headAddress, buffer, here, isLast ? status.union(frame.checksum.status) : .done, isLast ? frame : nil)
            current.advance()
        }
        ring = current
        statistics.countReceived(byteCount: wireByteCount, destination: destination)
        counters.framesReceived &+= 1
        if wireByteCount <= shared.load32(at: E1000E.rsrpd.offset) & 0xfff { causes.insert(.smallPacket) }
        return true
    }

    /// A part of a frame to the driver's memory, its checksum on the way if it is not known yet. False: a fault.
    @inline(__always)
    private mutating func copy(_ frame: inout Prepared, at offset: Int, byteCount: Int, to buffer: IOVA) -> Bool {
        if byteCount == frame.bytes.byteCount, let target = dma.translate(buffer, byteCount: byteCount, access: .write) {
            frame.checksum.copy(frame.bytes, to: target)
            return true
        }
        frame.checksum.sum(frame.bytes)
        return dma.write(buffer, byteCount: byteCount, from: frame.bytes, at: offset)
    }

    /// No room: the frame waits, unless the whole ring could not hold it.
    private mutating func starve(_ needed: Int, _ ring: E1000ERing?, _ causes: inout E1000E.InterruptCause) -> Bool {
        if let ring, needed >= Int(ring.count) {
            statistics.count(E1000E.mpc)
            return true
        }
        if !receive.isStarving {
            receive.isStarving = true
            statistics.count(E1000E.rnbc)
            causes.insert(.receiveOverrun)
        }
        return false
    }

    /// In the middle of a frame: null descriptors used the ring up, or it is not there.
    private mutating func loseRest(hasDescriptors: Bool) {
        if hasDescriptors { counters.dmaFaults &+= 1 }
        statistics.count(E1000E.mpc)
    }

    /// The completion's second word, with "done", is stored last.
    @inline(__always)
    private mutating func writeBack(
        _ descriptor: MemoryWindow, _ address: UInt64, _ buffer: UInt64, _ byteCount: Int, _ status: E1000E.RxStatus, _ frame: Prepared?
    ) {
        let length = reportedLength(byteCount)
        let word1: UInt64
        if receive.usesExtendedFormat {
            let completion = E1000E.RxWriteBack(
                status: status, length: length, vlanTag: frame?.tag ?? 0, rssHash: frame?.checksumWord ?? 0,
                rssType: frame?.spread.type ?? 0, queue: UInt8(truncatingIfNeeded: frame?.spread.queue ?? 0))
            descriptor.store64(completion.word0, at: 0)
            word1 = completion.word1
        } else {
            var completion = E1000E.RxLegacyDescriptor(bufferAddress: buffer)
            completion.length = length
            completion.status = status
            completion.packetChecksum = UInt16(truncatingIfNeeded: (frame?.checksumWord ?? 0) >> 16)
            completion.vlanTag = frame?.tag ?? 0
            word1 = completion.word1
        }
        DeviceBarrier.publishToDevice()
        descriptor.store64(word1, at: 8)
        noteCompletion(address, word1)
    }
}
