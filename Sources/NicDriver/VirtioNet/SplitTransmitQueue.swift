import DeviceMemory
import NicRegisters

/// A split transmit queue. Frame n goes by descriptor n of the ring, so that the available ring never changes. Sent buffers
/// are taken back with the next frames.
///
/// Devices give descriptors back in order: what is outstanding is then all of `clean..<tail`. One that does not makes a frame
/// wait for the one before it in the same place, and goes one at a time until nothing is outstanding.
struct SplitTransmitQueue: ~Copyable, VirtioTransmitQueue {
    private let ring: SplitRing
    private let buffers: BufferTable
    private let buffersView: BufferTable.View
    private let preparation: VirtioFramePreparation
    private let notifier: VirtioNotifier
    /// Free-running number of the next frame.
    private var tail = 0
    /// Free-running number of the used entry that comes next.
    private var clean = 0
    /// Everything so far came back in order. Else the table says what is outstanding.
    private var isOrdered = true
    private(set) var violation: VirtioRingViolation?
    private(set) var counters = TransmitCounters()

    init(_ area: VirtqueueArea, usesEventIndex: Bool, preparation: VirtioFramePreparation, notifier: VirtioNotifier) {
        ring = SplitRing(area, usesEventIndex: usesEventIndex)
        self.preparation = preparation
        self.notifier = notifier
        buffers = BufferTable(count: ring.count)
        buffersView = buffers.view
        for number in 0..<ring.count { ring.available.store(UInt16(truncatingIfNeeded: number), ring.descriptors.slot(number)) }
    }

    var inFlight: Int { tail &- clean }

    /// Sends from the front of the batch until it is empty or the ring is full. Returns how many frames left the batch;
    /// one that cannot go is dropped there, counted.
    @inline(never)
    mutating func send(_ batch: inout PacketBatch) -> Int {
        reclaim()
        if violation != nil { return 0 }
        let ring = self.ring
        let buffers = buffersView
        let preparation = self.preparation
        let headers = preparation.headers
        let minimum = VirtioFramePreparation.minimumFrameByteCount
        let span = preparation.maximumFrameByteCount &- minimum
        let first = tail
        let limit = isOrdered ? min(batch.count, clean &+ ring.count &- first) : 0
        var done = 0
        var bytes: UInt64 = 0
        while done < limit {
            let handle = batch.handle(at: done)
            // One that asks for checksums has its highest bit set, and seems too long.
            let length = handle.word & 0x8000_0000_0000_ffff
            if length &- minimum > span { break }
            let slot = ring.descriptors.slot(first &+ done)
            buffers[slot] = handle.index
            let place = headers.place(of: handle.index)
            preparation.prepareOrdinary(place)
            let byteCount = length &+ UInt64(truncatingIfNeeded: VirtioNet.Header.byteCount)
            ring.descriptors.store(headers.iova(place), SplitRing.word1(byteCount: byteCount, flags: []), slot)
            bytes &+= length
            done &+= 1
        }
        if done != 0 {
            tail = first &+ done
            batch.removeFirst(taken: done)
            counters.frames &+= UInt64(truncatingIfNeeded: done)
            counters.bytes &+= bytes
        }
        // Frames that are short, want checksums or cannot go: one at a time.
        if done < limit || limit == 0 { done &+= sendSpecial(&batch) }
        if tail != first {
            ring.publish(below: tail)
            if ring.wantsNotification(from: first, to: tail) { notifier.notify() }
        }
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
                let byteCount = length &+ UInt64(truncatingIfNeeded: VirtioNet.Header.byteCount)
                ring.descriptors.store(
                    headers.iova(headers.place(of: handle.index)), SplitRing.word1(byteCount: byteCount, flags: []), slot)
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
        let ready = ring.newlyUsed(since: clean)
        if ready == 0 || violation != nil { return }
        guard ready <= tail &- clean else {
            let from = UInt16(truncatingIfNeeded: clean)
            violation = .usedIndex(from: from, to: from &+ UInt16(truncatingIfNeeded: ready), outstanding: inFlight)
            return
        }
        DeviceBarrier.observeFromDevice()
        let end = clean &+ ready
        if isOrdered {
            reclaimInOrder(below: end)
            // The ring's end cuts a run in two.
            if clean != end, clean & (ring.count &- 1) == 0 { reclaimInOrder(below: end) }
        }
        if clean != end { reclaimAnyOrder(below: end) }
    }

    /// The entries up to the ring's end that name descriptors in order.
    @inline(__always)
    private mutating func reclaimInOrder(below end: Int) {
        let ring = self.ring
        let number = clean
        let start = ring.descriptors.slot(number)
        let limit = min(end &- number, ring.descriptors.countToEnd(from: number))
        var id = UInt32(truncatingIfNeeded: number & (ring.count &- 1))
        var count = 0
        while count < limit, UInt32(truncatingIfNeeded: ring.used.load(start.advanced(by: count))) == id {
            id &+= 1
            count &+= 1
        }
        var free = preparation.pool.cursor
        free.give(buffersView, from: start, count: count)
        preparation.pool.commit(free)
        clean = number &+ count
    }

    /// Entries in any order, one at a time.
    @inline(never)
    private mutating func reclaimAnyOrder(below end: Int) {
        if isOrdered {
            isOrdered = false
            buffersView.clear(tail..<clean &+ ring.count, of: ring.descriptors)
        }
        while clean != end {
            let id = UInt32(truncatingIfNeeded: ring.used.load(ring.descriptors.slot(clean)))
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
        if clean == tail { isOrdered = true }
    }

    mutating func keepCounters(of old: borrowing Self) { counters = old.counters }

    mutating func takeBackBuffers() {
        if isOrdered { buffersView.clear(tail..<clean &+ ring.count, of: ring.descriptors) }
        preparation.pool.takeBack(buffersView, of: ring.descriptors)
    }
}
