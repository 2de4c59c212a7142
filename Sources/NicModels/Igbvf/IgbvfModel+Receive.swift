import DeviceMemory
import NicRegisters

/// Frames from the wire into receive queue 0.
extension IgbvfModel {
    private static var queue: Int { 0 }

    /// Up to 64 frames.
    mutating func stepReceive() -> Bool {
        guard wire.nextReceived() != nil else { return false }
        let split = Igbvf.SplitControl(bits: shared.load32(at: Igbvf.srrctl[Self.queue].offset))
        let control = Igbvf.QueueControl(bits: shared.load32(at: Igbvf.rxdctl[Self.queue].offset))
        // Header split has other descriptors: not offered, and not guessed.
        guard control.contains(.enable), split.descriptorType == 1 else { return discardReceived() }
        var ring: E1000ERing?
        switch E1000ERing.read(
            shared, dma: dma, head: Igbvf.rdh[Self.queue], tail: Igbvf.rdt[Self.queue], length: Igbvf.rdlen[Self.queue],
            low: Igbvf.rdbal[Self.queue], high: Igbvf.rdbah[Self.queue])
        {
        case .empty: break
        case .impossible: counters.badRings &+= 1
        case .ring(let valid): ring = valid
        }
        let size = split.bufferSize == 0 ? 2048 : Int(split.bufferSize) * 1024
        let before = ring?.head
        var taken = 0
        while taken < 64, let frame = wire.nextReceived() {
            guard accept(frame, size, drops: split.contains(.dropEnable), &ring) else { break }
            wire.dropReceived()
            taken += 1
        }
        if let ring, ring.head != before {
            shared.store32(ring.head, at: Igbvf.rdh[Self.queue].offset)
            raise(registers.read(Igbvf.vtivar).receiveVector(queue: Self.queue))
        }
        return taken > 0
    }

    /// Filters a frame and writes it to the driver. False: it has to wait for descriptors.
    private mutating func accept(_ frame: MemoryWindow, _ size: Int, drops: Bool, _ ring: inout E1000ERing?) -> Bool {
        let length = frame.byteCount
        guard length >= 60 else { return true }
        let destination = E1000EDestination(of: frame)
        let etherType = frame.load16(at: 12).byteSwapped
        let tag: UInt16? = etherType == 0x8100 ? frame.load16(at: 14).byteSwapped : nil
        let longest = physical.receiveLimit.map { $0 - 4 } ?? Igbvf.maximumShortFrame + (tag == nil ? 0 : 4)
        guard length <= longest, physical.lets(destination), tag.map({ physical.vlans.contains($0 & 0xfff) }) ?? true else {
            counters.framesFiltered &+= 1
            return true
        }
        var status: Igbvf.RxStatus = [.done, .endOfPacket]
        let inner = tag == nil ? etherType : frame.load16(at: 16).byteSwapped
        var checked = ReceiveChecksum(frame, etherType: inner, network: tag == nil ? 14 : 18, checksIP: true, checksTransport: true)
        checked.sum(frame)
        // The PF has RXCSUM.PCSD on: no identification in the descriptor.
        status.formUnion(checked.status.subtracting(.ipIdentificationValid))
        var bytes = frame
        if tag != nil {
            status.insert(.vlanPacket)
            frame.copy(at: 0, byteCount: 12, to: bounce, at: 0)
            frame.copy(at: 16, byteCount: length - 16, to: bounce, at: 12)
            bytes = bounce.slice(at: 0, byteCount: length - 4)
        }
        guard deliver(bytes, size, status, tag ?? 0, &ring) else { return drops || !fits(bytes, size, ring) }
        count(received: length + 4, destination)
        return true
    }

    /// Whether the ring could hold the frame if all of it were the device's.
    private func fits(_ bytes: MemoryWindow, _ size: Int, _ ring: E1000ERing?) -> Bool {
        ring.map { (bytes.byteCount + size - 1) / size < Int($0.count) } ?? true
    }

    /// Spreads a frame over as many descriptors as it needs. False: not enough, nothing written.
    private mutating func deliver(
        _ bytes: MemoryWindow, _ size: Int, _ status: Igbvf.RxStatus, _ tag: UInt16, _ ring: inout E1000ERing?
    ) -> Bool {
        let total = bytes.byteCount
        guard var current = ring, Int(current.available) >= (total + size - 1) / size else { return false }
        var offset = 0
        while offset < total {
            guard current.head != current.tail, let descriptor = current.headDescriptor(dma) else {
                if current.head != current.tail { counters.dmaFaults &+= 1 }
                break
            }
            let buffer = descriptor.load64(at: 0)
            // A null descriptor takes no data (QEMU igb_write_packet_to_guest).
            let here = buffer == 0 ? 0 : min(size, total - offset)
            if buffer == 0 { counters.badDescriptors &+= 1 }
            if here > 0, !dma.write(IOVA(buffer), byteCount: here, from: bytes, at: offset) { counters.dmaFaults &+= 1 }
            offset += here
            let isLast = offset == total
            let completion = Igbvf.RxWriteBack(
                status: isLast ? status : .done, length: reportedLength(here), vlanTag: isLast ? tag : 0)
            descriptor.store64(completion.word0, at: 0)
            DeviceBarrier.publishToDevice()
            descriptor.store64(completion.word1, at: 8)
            current.advance()
        }
        ring = current
        counters.framesReceived &+= 1
        return true
    }

    private mutating func reportedLength(_ byteCount: Int) -> UInt16 {
        if hasFaults, faults.lengthsBeyondBuffer > 0 {
            faults.lengthsBeyondBuffer -= 1
            return .max
        }
        return UInt16(truncatingIfNeeded: byteCount)
    }

    private mutating func count(received byteCount: Int, _ destination: E1000EDestination) {
        add(1, to: Igbvf.vfgprc)
        add(UInt32(truncatingIfNeeded: byteCount), to: Igbvf.vfgorc)
        if destination.kind == .multicast { add(1, to: Igbvf.vfmprc) }
    }

    /// Statistics registers go round.
    mutating func add(_ amount: UInt32, to register: Register<UInt32, ReadOnly>) {
        registers.store32(registers.load32(at: register.offset) &+ amount, at: register.offset)
    }
}
