import DeviceMemory
import NicRegisters

/// A transmit ring of the 82574L and of its relatives, whose descriptors differ in ``TransmitFormat`` only. The device
/// reports every 16th descriptor (RS); sent buffers come back 16 at a time.
struct E1000ETxQueue<Format: TransmitFormat>: ~Copyable {
    /// Descriptors a report; divides every ring size.
    static var groupSize: Int { 16 }

    private let ring: DescriptorRing
    private let buffers: BufferTable
    private let buffersView: BufferTable.View
    private let pool: PacketPoolReference
    private let doorbell: Doorbell
    private let maximumFrameByteCount: Int
    /// Free-running number of the next free descriptor.
    private var tail = 0
    /// Free-running number of the oldest descriptor that is not reclaimed; a multiple of `groupSize`.
    private var clean = 0
    /// The checksum context that the device holds now.
    private var context: UInt64 = 0
    /// Context descriptors that are not reclaimed: slots without a buffer.
    private var contextsInFlight = 0
    private(set) var counters = TransmitCounters()

    init(ring: DescriptorRing, pool: PacketPoolReference, doorbell: Doorbell, maximumFrameByteCount: Int) {
        self.ring = ring
        self.pool = pool
        self.doorbell = doorbell
        self.maximumFrameByteCount = maximumFrameByteCount
        buffers = BufferTable(count: ring.count)
        buffersView = buffers.view
        clear()
    }

    /// Nothing in the ring is done.
    private func clear() {
        for number in 0..<ring.count { ring.store(.max, .max & ~txDoneBit, ring.slot(number)) }
    }

    /// The tail register's value: one beyond the last descriptor given to the device.
    var tailIndex: UInt32 { UInt32(truncatingIfNeeded: tail & (ring.count &- 1)) }
    var inFlight: Int { tail &- clean }

    /// Sends from the front of the batch until it is empty or the ring is full. Returns how many frames left the batch;
    /// one that is empty or too long is dropped there, counted.
    @inline(never)
    mutating func send(_ batch: inout PacketBatch) -> Int {
        reclaim()
        let ring = self.ring
        let buffers = buffersView
        let pool = self.pool.cursor
        let shortest = UInt64(truncatingIfNeeded: Format.shortestFrame)
        let span = UInt64(truncatingIfNeeded: maximumFrameByteCount) &- shortest
        let first = tail
        // One slot stays empty: head = tail means that there is nothing to send.
        let room = clean &+ ring.count &- 1 &- first
        let count = batch.count
        let limit = min(count, room)
        var done = 0
        var bytes: UInt64 = 0
        while done < limit {
            let handle = batch.handle(at: done)
            let length = handle.word & 0xffff
            if handle.asksForChecksums || length &- shortest > span { break }
            let slot = ring.slot(first &+ done)
            buffers[slot] = handle.index
            ring.store(pool.iova(of: handle.index), Format.frameWord(length: length), slot)
            bytes &+= length
            done &+= 1
        }
        if done != 0 {
            tail = first &+ done
            askForReports(from: first)
            batch.removeFirst(taken: done)
            counters.frames &+= UInt64(truncatingIfNeeded: done)
            counters.bytes &+= bytes
            ringDoorbell()
        }
        // Frames that want checksums, and frames that cannot go: rare, one at a time.
        if done < limit { return done &+ sendSpecial(&batch) }
        return done
    }

    /// The last descriptor of each group, of those from `first` on, reports when it is sent.
    @inline(__always)
    private func askForReports(from first: Int) {
        var last = first | (Self.groupSize &- 1)
        while last < tail {
            ring.setWord1(bits: reportBit, ring.slot(last))
            last &+= Self.groupSize
        }
    }

    @inline(__always)
    private func ringDoorbell() {
        DeviceBarrier.publishToDevice()
        doorbell.ring(tailIndex)
    }

    /// The first frame of the batch needs a context or cannot be sent; then goes on with the others.
    @inline(never)
    private mutating func sendSpecial(_ batch: inout PacketBatch) -> Int {
        var done = 0
        while !batch.isEmpty {
            let handle = batch.handle(at: 0)
            let length = Int(handle.byteCount)
            guard length > 0, length <= maximumFrameByteCount else {
                counters.lengthErrors &+= 1
                pool.give(handle.index)
                batch.removeFirst(taken: 1)
                done += 1
                continue
            }
            guard tail &+ 2 <= clean &+ ring.count &- 1 else { break }
            if handle.asksForChecksums { loadContext(for: handle) }
            put(buffer: handle.index, word0: pool.iova(of: handle.index), word1: Format.dataWord(for: padded(handle)))
            counters.frames &+= 1
            counters.bytes &+= UInt64(length)
            batch.removeFirst(taken: 1)
            done += 1
        }
        ringDoorbell()
        return done
    }

    /// Takes sent buffers back, a whole group at a time. The device may lie about what it has sent, which harms its own
    /// frames only.
    @inline(__always)
    mutating func reclaim() {
        if tail &- clean < Self.groupSize { return }
        let ring = self.ring
        var number = clean
        var free = pool.cursor
        while tail &- number >= Self.groupSize {
            if ring.word1(ring.slot(number | (Self.groupSize &- 1))) & txDoneBit == 0 { break }
            if contextsInFlight == 0 {
                free.give(buffersView, from: ring.slot(number), count: Self.groupSize)
            } else {
                reclaimWithContexts(from: number, &free)
            }
            number &+= Self.groupSize
        }
        if number == clean { return }
        clean = number
        pool.commit(free)
    }

    @inline(never)
    private mutating func reclaimWithContexts(from number: Int, _ free: inout PacketPoolCursor) {
        for slot in (number..<number + Self.groupSize).map({ ring.slot($0) }) {
            if buffersView[slot] == BufferTable.none { contextsInFlight &-= 1 } else { free.give(buffersView[slot]) }
        }
    }

    /// Gives every buffer of the ring back to the pool. Only after the device has stopped.
    mutating func takeBackBuffers() {
        while clean < tail {
            let buffer = buffersView[ring.slot(clean)]
            if buffer != BufferTable.none { pool.give(buffer) }
            clean += 1
        }
    }

    /// For a device that is as new: the ring from its start, empty. Returns how many frames the device had not reported as
    /// sent, at most `groupSize` more than there were.
    mutating func restart() -> Int {
        reclaim()
        let lost = tail &- clean &- contextsInFlight
        takeBackBuffers()
        (tail, clean) = (0, 0)
        (context, contextsInFlight) = (0, 0)
        clear()
        return lost
    }
}

extension E1000ETxQueue {
    private mutating func put(buffer: UInt32, word0: UInt64, word1: UInt64) {
        buffersView[ring.slot(tail)] = buffer
        ring.store(word0, word1, ring.slot(tail))
        tail &+= 1
        askForReports(from: tail &- 1)
    }

    /// The same frame, with zeros behind it if the device would not take it as it is.
    private func padded(_ handle: PacketHandle) -> PacketHandle {
        let length = Int(handle.byteCount)
        guard length < Format.shortestFrame else { return handle }
        // IEEE 802.3 §3.2.8: 64 bytes with FCS.
        pool.window(of: handle.index).slice(at: length, byteCount: 60 - length).fill(0)
        return PacketHandle(word: handle.word & ~0xffff | 60)
    }

    /// Tells the device where the headers are, unless it knows already.
    private mutating func loadContext(for handle: PacketHandle) {
        let wanted = handle.word & PacketHandle.contextMask
        guard wanted != context else { return }
        context = wanted
        let (word0, word1) = Format.context(for: handle)
        contextsInFlight &+= 1
        put(buffer: BufferTable.none, word0: word0, word1: word1)
    }
}

/// Status "done" of a descriptor, bit 32 of its second word.
@inline(__always) private var txDoneBit: UInt64 { UInt64(E1000E.TxStatus.done.rawValue) &<< 32 }
@inline(__always) private var reportBit: UInt64 { UInt64(E1000E.TxCommand.reportStatus.rawValue) }
