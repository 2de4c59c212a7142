import DeviceMemory
import NicRegisters

/// A receive ring of the 82574L, extended descriptors; the 82576's advanced ones have the same words. Every slot holds a
/// buffer; a received packet's place is refilled at once from the pool, so that the device always owns all slots but one.
struct E1000ERxQueue: ~Copyable {
    private let ring: DescriptorRing
    private let buffers: BufferTable
    private let buffersView: BufferTable.View
    private let pool: PacketPoolReference
    private let doorbell: Doorbell
    private let maximumFrameByteCount: Int
    /// Free-running number of the descriptor that completes next.
    private var next = 0
    /// The rest of a frame that the device spread over several buffers is still to be dropped.
    private var isDroppingFrame = false
    private(set) var counters = ReceiveCounters()

    /// Fills the ring: `ring.count` buffers of the pool are its own until ``takeBackBuffers()``.
    init?(ring: DescriptorRing, pool: PacketPoolReference, doorbell: Doorbell, maximumFrameByteCount: Int) {
        guard pool.freeCount >= ring.count else { return nil }
        self.ring = ring
        self.pool = pool
        self.doorbell = doorbell
        self.maximumFrameByteCount = maximumFrameByteCount
        buffers = BufferTable(count: ring.count)
        buffersView = buffers.view
        var free = pool.cursor
        for number in 0..<ring.count {
            let slot = ring.slot(number)
            let buffer = free.take()
            buffersView[slot] = buffer
            let descriptor = E1000E.RxReadDescriptor(bufferAddress: free.iova(of: buffer))
            ring.store(descriptor.word0, descriptor.word1, slot)
        }
        pool.commit(free)
    }

    /// Hands all slots but one to the device. Once, after the receiver was enabled.
    mutating func publishAll() {
        DeviceBarrier.publishToDevice()
        doorbell.ring(UInt32(truncatingIfNeeded: ring.count - 1))
    }

    /// Whether the next descriptor is done.
    var hasReceived: Bool { ring.word1(ring.slot(next)) & doneBit != 0 }

    /// Moves up to `batch.room` received frames into the batch and refills their slots.
    /// Damaged descriptors give no packet: their buffer goes straight back into the slot, counted.
    @inline(never)
    mutating func receive(into batch: inout PacketBatch) -> Int {
        var taken = isDroppingFrame ? 0 : receiveGood(into: &batch)
        // What is done and not good is rare: one at a time, at most a ring of them in a call.
        var dropped = 0
        while batch.room > 0, hasReceived, dropped < ring.count {
            guard dropBad() else {
                guard pool.freeCount > 0 else {
                    counters.refillStarved &+= 1
                    break
                }
                if dropped == 0, taken > 0 { break }
                taken &+= receiveGood(into: &batch)
                dropped &+= 1
                continue
            }
            dropped &+= 1
        }
        if taken | dropped != 0 {
            // Descriptors are written before the device sees the new tail: the slot before the next one stays ours.
            DeviceBarrier.publishToDevice()
            doorbell.ring(UInt32(truncatingIfNeeded: (next &- 1) & (ring.count &- 1)))
        }
        return taken
    }

    /// The frames up to the first that is not done or not good, or until there is no room, no fresh buffer, or the ring's
    /// end is reached: a batch never wraps.
    @inline(__always)
    private mutating func receiveGood(into batch: inout PacketBatch) -> Int {
        let ring = self.ring
        let buffers = buffersView
        let maximum = UInt64(truncatingIfNeeded: maximumFrameByteCount)
        let first = next
        var free = pool.cursor
        let limit = min(batch.room, free.freeCount, ring.countToEnd(from: first))
        let start = ring.slot(first)
        var taken = 0
        var bytes: UInt64 = 0
        while taken < limit {
            let slot = start.advanced(by: taken)
            // The one read of this descriptor: everything below judges this value.
            let word = ring.word1(slot)
            let length = word &>> 32 & 0xffff
            if word & goodMask != goodBits || length &- 1 >= maximum { break }
            DeviceBarrier.observeFromDevice()
            let fresh = free.peek(after: taken)
            let buffer = buffers[slot]
            buffers[slot] = fresh
            ring.store(free.iova(of: fresh), 0, slot)
            // None of the checks counts if the device ignored checksums (IXSM).
            let checks = word & ignoreChecksumBit != 0 ? 0 : (word & checkBits) &<< 32
            batch.store(PacketHandle(word: length | UInt64(buffer) &<< 16 | checks), at: taken)
            bytes &+= length
            taken &+= 1
        }
        free.drop(taken)
        pool.commit(free)
        batch.append(stored: taken)
        next = first &+ taken
        counters.frames &+= UInt64(truncatingIfNeeded: taken)
        counters.bytes &+= bytes
        return taken
    }

    /// Drops the next descriptor if it carries no whole good frame: counts it, and gives its buffer to the device again.
    @inline(never)
    private mutating func dropBad() -> Bool {
        let slot = ring.slot(next)
        let word = ring.word1(slot)
        let length = word &>> 32 & 0xffff
        let status = E1000E.RxStatus(rawValue: UInt32(truncatingIfNeeded: word))
        guard status.contains(.done) else { return false }
        if !isDroppingFrame {
            if !status.isDisjoint(with: .frameErrors) {
                counters.frameErrors &+= 1
            } else if !status.contains(.endOfPacket) || length &- 1 >= UInt64(maximumFrameByteCount) {
                counters.lengthErrors &+= 1
            } else {
                return false
            }
        }
        isDroppingFrame = !status.contains(.endOfPacket)
        ring.store(pool.iova(of: buffersView[slot]), 0, slot)
        next &+= 1
        return true
    }

    /// Gives every buffer of the ring back to the pool. Only after the device has stopped.
    mutating func takeBackBuffers() {
        var free = pool.cursor
        for number in 0..<ring.count where buffersView[ring.slot(number)] != BufferTable.none {
            free.give(buffersView[ring.slot(number)])
            buffersView[ring.slot(number)] = BufferTable.none
        }
        pool.commit(free)
    }
}

extension E1000ERxQueue {
    /// For a device that is as new: the ring from its start, with the buffers that it had. Returns how many good frames were
    /// in it.
    mutating func restart() -> Int {
        var lost = 0
        while lost < ring.count, ring.word1(ring.slot(next &+ lost)) & goodMask == goodBits { lost += 1 }
        for number in 0..<ring.count {
            let slot = ring.slot(number)
            let descriptor = E1000E.RxReadDescriptor(bufferAddress: pool.iova(of: buffersView[slot]))
            ring.store(descriptor.word0, descriptor.word1, slot)
        }
        next = 0
        isDroppingFrame = false
        return lost
    }
}

@inline(__always) private var doneBit: UInt64 { UInt64(E1000E.RxStatus.done.rawValue) }
@inline(__always) private var ignoreChecksumBit: UInt64 { UInt64(E1000E.RxStatus.ignoreChecksum.rawValue) }
/// A good frame: done, whole in one buffer, no error.
@inline(__always) private var goodBits: UInt64 { doneBit | UInt64(E1000E.RxStatus.endOfPacket.rawValue) }
@inline(__always) private var goodMask: UInt64 { goodBits | UInt64(E1000E.RxStatus.frameErrors.rawValue) }
/// UDPCS, TCPCS, IPCS, TCPE and IPE: where ``PacketFlags`` has them, 32 bits up.
@inline(__always) private var checkBits: UInt64 { 0x6000_0070 }
