import DeviceMemory
import NicRegisters

/// A packed transmit queue. Frame n goes by the descriptor in place n, under the same number as identifier. Sent buffers are
/// taken back with the next frames.
///
/// Devices give buffers back in order: what is outstanding is then all of `clean..<tail`. One that does not makes a frame wait
/// for the one before it of the same number, and goes one at a time until nothing is outstanding.
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
    /// Everything so far came back in order. Else the table says what is outstanding.
    private var isOrdered = true
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

    /// Sends from the front of the batch until it is empty or the ring is full. Returns how many frames left the batch; one
    /// that cannot go is dropped there, counted.
    @inline(never)
    mutating func send(_ batch: inout PacketBatch) -> Int {
        reclaim()
        if violation != nil { return 0 }
        let ring = self.ring
        let descriptors = ring.descriptors
        let buffers = buffersView
        let preparation = self.preparation
        let headers = preparation.headers
        let minimum = VirtioFramePreparation.minimumFrameByteCount
        let span = preparation.maximumFrameByteCount &- minimum
        let first = tail
        let limit = isOrdered ? min(batch.count, clean &+ ring.count &- first) : 0
        var done = 0
        var bytes: UInt64 = 0
        // A batch over the ring's end goes in two parts.
        while done < limit {
            let start = descriptors.slot(first &+ done)
            let end = min(limit, done &+ descriptors.countToEnd(from: first &+ done))
            let part = done
            // What all descriptors of this part say: each by one identifier more, and its frame's length.
            var word =
                ring.availableFlags(first &+ done) | UInt64(truncatingIfNeeded: (first &+ done) & (ring.count &- 1)) &<< 32
                | UInt64(truncatingIfNeeded: VirtioNet.Header.byteCount)
            while done < end {
                let handle = batch.handle(at: done)
                // One that asks for checksums has its highest bit set, and seems too long.
                let length = handle.word & 0x8000_0000_0000_ffff
                if length &- minimum > span { break }
                let slot = start.advanced(by: done &- part)
                buffers[slot] = handle.index
                let place = headers.place(of: handle.index)
                preparation.prepareOrdinary(place)
                ring.offer(headers.iova(place), word &+ length, slot)
                bytes &+= length
                word &+= PackedRing.nextID
                done &+= 1
            }
            if done < end { break }
        }
        if done != 0 {
            tail = first &+ done
            batch.removeFirst(taken: done)
            counters.frames &+= UInt64(truncatingIfNeeded: done)
            counters.bytes &+= bytes
        }
        // Frames that are short, want checksums or cannot go: one at a time.
        if done < limit || limit == 0 { done &+= sendSpecial(&batch) }
        if tail != first, ring.wantsNotification(from: first, to: tail) { notifier.notify() }
        return done
    }

    @inline(never)
    private mutating func sendSpecial(_ batch: inout PacketBatch) -> Int {
        var done = 0
        while !batch.isEmpty, inFlight < ring.count {
            let slot = ring.descriptors.slot(tail)
            guard isOrdered || buffersView[slot] == BufferTable.none else { break }
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
        if isOrdered {
            reclaimInOrder()
            // The ring's end cuts a run in two.
            if clean != tail, clean & (ring.count &- 1) == 0 { reclaimInOrder() }
        }
        if clean != tail, ring.isUsed(clean) { reclaimAnyOrder() }
    }

    /// The buffers up to the ring's end that were used in order.
    @inline(__always)
    private mutating func reclaimInOrder() {
        let descriptors = ring.descriptors
        let number = clean
        let start = descriptors.slot(number)
        let limit = min(tail &- number, descriptors.countToEnd(from: number))
        var expected = ring.usedFlags(number) | UInt64(truncatingIfNeeded: number & (ring.count &- 1)) &<< 32
        var count = 0
        while count < limit, descriptors.word1(start.advanced(by: count)) & (PackedRing.ownerMask | PackedRing.idMask) == expected {
            expected &+= PackedRing.nextID
            count &+= 1
        }
        var free = preparation.pool.cursor
        free.give(buffersView, from: start, count: count)
        preparation.pool.commit(free)
        clean = number &+ count
    }

    /// Buffers in any order, one at a time.
    @inline(never)
    private mutating func reclaimAnyOrder() {
        if isOrdered {
            isOrdered = false
            buffersView.clear(tail..<clean &+ ring.count, of: ring.descriptors)
        }
        while clean != tail {
            let word = ring.descriptors.word1(ring.descriptors.slot(clean))
            guard word & PackedRing.ownerMask == ring.usedFlags(clean) else { return }
            let id = UInt32(truncatingIfNeeded: word &>> 32) & 0xffff
            guard id < UInt32(truncatingIfNeeded: ring.count) else {
                violation = .badID(id)
                return
            }
            let slot = ring.descriptors.slot(Int(id))
            guard buffersView[slot] != BufferTable.none else {
                violation = .foreignID(id)
                return
            }
            preparation.pool.give(buffersView[slot])
            buffersView[slot] = BufferTable.none
            clean &+= 1
        }
        isOrdered = true
    }

    mutating func keepCounters(of old: borrowing Self) { counters = old.counters }

    mutating func takeBackBuffers() {
        if isOrdered { buffersView.clear(tail..<clean &+ ring.count, of: ring.descriptors) }
        preparation.pool.takeBack(buffersView, of: ring.descriptors)
    }
}
