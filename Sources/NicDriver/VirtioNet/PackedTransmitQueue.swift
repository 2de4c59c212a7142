import DeviceMemory
import NicRegisters

/// A packed transmit queue. Frame n goes by the descriptor in place n, under the same number as identifier; a device that
/// gives buffers back in another order than it got them makes a frame wait for the one before it of the same number.
/// Sent buffers are taken back with the next frames.
struct PackedTransmitQueue: ~Copyable, VirtioTransmitQueue {
    private let ring: PackedRing
    private let buffers: BufferTable
    private let buffersView: BufferTable.View
    private let preparation: VirtioFramePreparation
    private let notifier: VirtioNotifier
    /// Free-running number of the next frame.
    private var tail = 0
    /// Free-running number of the place where the next used buffer appears.
    private var clean = 0
    private(set) var violation: VirtioRingViolation?
    private(set) var counters = TransmitCounters()

    init(_ area: VirtqueueArea, usesEventIndex: Bool, preparation: VirtioFramePreparation, notifier: VirtioNotifier) {
        ring = PackedRing(area, usesEventIndex: usesEventIndex)
        self.preparation = preparation
        self.notifier = notifier
        buffers = BufferTable(count: ring.count)
        buffersView = buffers.view
    }

    var inFlight: Int { tail &- clean }

    /// Sends from the front of the batch until it is empty, or the ring is full or at its end: a call never wraps. Returns how
    /// many frames left the batch; one that cannot go is dropped there, counted.
    @inline(never)
    mutating func send(_ batch: inout PacketBatch) -> Int {
        reclaim()
        if violation != nil { return 0 }
        let first = tail
        var done = sendOrdinary(&batch)
        // A batch over the ring's end goes in two parts.
        if !batch.isEmpty, done != 0, tail & (ring.count &- 1) == 0 { done &+= sendOrdinary(&batch) }
        // Frames that are short, want checksums or cannot go: one at a time.
        if !batch.isEmpty, inFlight < ring.count { done &+= sendSpecial(&batch) }
        if tail != first, ring.wantsNotification(from: first, to: tail) { notifier.notify() }
        return done
    }

    @inline(__always)
    private mutating func sendOrdinary(_ batch: inout PacketBatch) -> Int {
        let ring = self.ring
        let descriptors = ring.descriptors
        let buffers = buffersView
        let preparation = self.preparation
        let headers = preparation.headers
        let minimum = VirtioFramePreparation.minimumFrameByteCount
        let span = preparation.maximumFrameByteCount &- minimum
        let first = tail
        let limit = min(batch.count, clean &+ ring.count &- first, descriptors.countToEnd(from: first))
        let start = descriptors.slot(first)
        // Length and identifier are added to what all descriptors of this part share.
        let shared = ring.availableFlags(first) &+ UInt64(truncatingIfNeeded: VirtioNet.Header.byteCount)
        let firstID = UInt64(truncatingIfNeeded: first & (ring.count &- 1))
        var done = 0
        var bytes: UInt64 = 0
        while done < limit {
            let handle = batch.handle(at: done)
            let length = handle.word & 0xffff
            if handle.asksForChecksums || length &- minimum > span { break }
            let slot = start.advanced(by: done)
            if buffers[slot] != BufferTable.none { break }
            buffers[slot] = handle.index
            let place = headers.place(of: handle.index)
            preparation.prepareOrdinary(place)
            let id = firstID &+ UInt64(truncatingIfNeeded: done)
            ring.offer(headers.iova(place), shared &+ length | id &<< 32, slot)
            bytes &+= length
            done &+= 1
        }
        tail = first &+ done
        batch.removeFirst(taken: done)
        counters.frames &+= UInt64(truncatingIfNeeded: done)
        counters.bytes &+= bytes
        return done
    }

    @inline(never)
    private mutating func sendSpecial(_ batch: inout PacketBatch) -> Int {
        var done = 0
        while !batch.isEmpty, inFlight < ring.count {
            let slot = ring.descriptors.slot(tail)
            guard buffersView[slot] == BufferTable.none else { break }
            let handle = batch.handle(at: 0)
            if let length = preparation.prepare(handle) {
                buffersView[slot] = handle.index
                let headers = preparation.headers
                let word = PackedRing.word1(
                    byteCount: length &+ UInt64(truncatingIfNeeded: VirtioNet.Header.byteCount), id: UInt64(tail & (ring.count &- 1)),
                    flags: ring.availableFlags(tail))
                ring.offer(headers.iova(headers.place(of: handle.index)), word, slot)
                tail &+= 1
                counters.frames &+= 1
                counters.bytes &+= UInt64(handle.byteCount)
            } else {
                counters.lengthErrors &+= 1
                preparation.pool.give(handle.index)
            }
            batch.removeFirst(taken: 1)
            done += 1
        }
        return done
    }

    /// Takes sent buffers back, as far as the device has used them. It may lie about what it has sent, which harms its own
    /// frames only; what it may not do is use a buffer twice.
    @inline(__always)
    mutating func reclaim() {
        if tail == clean || violation != nil { return }
        let ring = self.ring
        let buffers = buffersView
        let size = UInt32(truncatingIfNeeded: ring.count)
        var free = preparation.pool.cursor
        var number = clean
        while number != tail {
            let word = ring.descriptors.word1(ring.descriptors.slot(number))
            if word & PackedRing.ownerMask != ring.usedFlags(number) { break }
            let id = UInt32(truncatingIfNeeded: word &>> 32) & 0xffff
            if id >= size {
                violation = .badID(id)
                break
            }
            let slot = ring.descriptors.slot(Int(id))
            let buffer = buffers[slot]
            if buffer == BufferTable.none {
                violation = .foreignID(id)
                break
            }
            buffers[slot] = BufferTable.none
            free.give(buffer)
            number &+= 1
        }
        clean = number
        preparation.pool.commit(free)
    }

    mutating func takeBackBuffers() { preparation.pool.takeBack(buffersView, of: ring.descriptors) }
}
