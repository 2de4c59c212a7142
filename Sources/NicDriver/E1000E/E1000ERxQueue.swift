import DeviceMemory
import NicRegisters

/// A receive ring of the 82574L, extended descriptors. Every slot holds a buffer; a received packet's place is refilled
/// at once from the pool, so that the device always owns all slots but one.
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

    struct ReceiveCounters {
        var frames: UInt64 = 0
        var bytes: UInt64 = 0
        var lengthErrors: UInt64 = 0
        var frameErrors: UInt64 = 0
        var refillStarved: UInt64 = 0
    }

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
        for slot in 0..<ring.count {
            let buffer = free.take()
            buffersView[slot] = buffer
            let descriptor = E1000E.RxReadDescriptor(bufferAddress: free.iova(of: buffer))
            ring.store(descriptor.word0, descriptor.word1, at: slot)
        }
        pool.commit(free)
    }

    /// Hands all slots but one to the device. Once, after the receiver was enabled.
    mutating func publishAll() {
        DeviceBarrier.publishToDevice()
        doorbell.ring(UInt32(truncatingIfNeeded: ring.count - 1))
    }

    /// Whether the next descriptor is done.
    var hasReceived: Bool { ring.word1(at: next) & UInt64(E1000E.RxStatus.done.rawValue) != 0 }

    /// Moves up to `batch.room` received frames into the batch and refills their slots.
    /// Damaged descriptors give no packet: their buffer goes straight back into the slot, counted.
    @inline(never)
    mutating func receive(into batch: inout PacketBatch) -> Int {
        let room = batch.room
        let ring = self.ring
        let buffers = buffersView
        let maximum = UInt64(truncatingIfNeeded: maximumFrameByteCount)
        let first = next
        var number = first
        var taken = 0
        var dropped = 0
        var bytes: UInt64 = 0
        var free = pool.cursor
        while taken < room {
            // The one read of this descriptor: everything below judges this value.
            let word = ring.word1(at: number)
            if word & doneBit == 0 { break }
            DeviceBarrier.observeFromDevice()
            let length = word &>> 32 & 0xffff
            if free.freeCount == 0 {
                counters.refillStarved &+= 1
                break
            }
            if word & (goodMask) != goodBits || length &- 1 >= maximum || isDroppingFrame {
                drop(word, length: length)
                ring.store(free.iova(of: buffers[number]), 0, at: number)
                number &+= 1
                dropped &+= 1
                // A device that never ends to complete damaged descriptors must not keep this loop.
                if dropped == ring.count { break }
                continue
            }
            let buffer = buffers[number]
            let fresh = free.take()
            buffers[number] = fresh
            ring.store(free.iova(of: fresh), 0, at: number)
            // UDPCS, TCPCS, IPCS and the two error bits; none of them counts if the device ignored checksums (IXSM).
            let checks = word & ignoreChecksumBit != 0 ? 0 : word &>> 4 & 0x7 | word &>> 26 & 0x18
            batch.store(PacketHandle(word: length | UInt64(buffer) &<< 16 | checks &<< 40), at: taken)
            bytes &+= length
            taken &+= 1
            number &+= 1
        }
        if number == first { return 0 }
        pool.commit(free)
        batch.append(stored: taken)
        next = number
        counters.frames &+= UInt64(truncatingIfNeeded: taken)
        counters.bytes &+= bytes
        // Descriptors are written before the device sees the new tail: the slot before the next one stays ours.
        DeviceBarrier.publishToDevice()
        doorbell.ring(UInt32(truncatingIfNeeded: (number &- 1) & (ring.count &- 1)))
        return taken
    }

    /// Counts a descriptor that carries no whole good frame.
    @inline(never)
    private mutating func drop(_ word: UInt64, length: UInt64) {
        let isEnd = word & UInt64(E1000E.RxStatus.endOfPacket.rawValue) != 0
        if isDroppingFrame {
            isDroppingFrame = !isEnd
            return
        }
        if word & UInt64(E1000E.RxStatus.frameErrors.rawValue) != 0 {
            counters.frameErrors &+= 1
        } else {
            counters.lengthErrors &+= 1
        }
        isDroppingFrame = !isEnd
    }

    /// Gives every buffer of the ring back to the pool. Only after the device has stopped.
    mutating func takeBackBuffers() {
        var free = pool.cursor
        for slot in 0..<ring.count where buffersView[slot] != BufferTable.none {
            free.give(buffersView[slot])
            buffersView[slot] = BufferTable.none
        }
        pool.commit(free)
    }
}

@inline(__always) private var doneBit: UInt64 { UInt64(E1000E.RxStatus.done.rawValue) }
@inline(__always) private var ignoreChecksumBit: UInt64 { UInt64(E1000E.RxStatus.ignoreChecksum.rawValue) }
/// A good frame: whole in one buffer, no error.
@inline(__always) private var goodBits: UInt64 { UInt64(E1000E.RxStatus.endOfPacket.rawValue) }
@inline(__always) private var goodMask: UInt64 { goodBits | UInt64(E1000E.RxStatus.frameErrors.rawValue) }
