import DeviceMemory
import NicRegisters

/// A split receive queue. Every descriptor holds a buffer; a received packet's place is refilled at once from the pool, so
/// that between two calls the device has all of them, and entry n of the available ring lies a ring's size before entry n
/// of the used ring.
///
/// Devices use buffers in order, and the loop of good frames takes nothing else: entry n names descriptor n, and so the
/// available ring stays as it is. Whatever else they say goes one at a time through ``receiveAnyOrder(into:ready:fast:)``;
/// after a device has used buffers in another order everything does.
struct SplitReceiveQueue: ~Copyable, VirtioReceiveQueue {
    private let ring: SplitRing
    private let buffers: BufferTable
    private let buffersView: BufferTable.View
    private let judge: VirtioFrameJudge
    private let notifier: VirtioNotifier
    private var intake: VirtioIntake
    /// Free-running number of the used entry that comes next.
    private var next = 0
    /// Entry n of the available ring names descriptor n.
    private var isOrdered = true
    private(set) var violation: VirtioRingViolation?
    var counters: ReceiveCounters { intake.counters }

    /// Fills the ring: as many buffers of the pool as it has descriptors are its own until ``takeBackBuffers()``.
    init(_ area: VirtqueueArea, usesEventIndex: Bool, judge: VirtioFrameJudge, notifier: VirtioNotifier) {
        ring = SplitRing(area, usesEventIndex: usesEventIndex)
        self.judge = judge
        self.notifier = notifier
        buffers = BufferTable(count: ring.count)
        buffersView = buffers.view
        intake = VirtioIntake(judge, ring: ring.descriptors)
        var free = judge.pool.cursor
        for number in 0..<ring.count {
            let slot = ring.descriptors.slot(number)
            let buffer = free.take()
            buffersView[slot] = buffer
            ring.descriptors.store(
                judge.headers.iova(judge.headers.place(of: buffer)),
                SplitRing.word1(byteCount: judge.bufferByteCount, flags: .write), slot)
            ring.available.store(UInt16(truncatingIfNeeded: number), slot)
        }
        judge.pool.commit(free)
        ring.publish(below: ring.count)
    }

    func start() { notifier.notify() }

    var hasReceived: Bool { violation == nil && ring.newlyUsed(since: next) != 0 }
    func armInterrupt() { ring.arm(next: next) }
    func disarmInterrupt() { ring.disarm() }

    /// Moves up to `batch.room` received frames into the batch and refills their places. What is no good frame gives no
    /// packet: its buffer goes back to the device, counted.
    @inline(never)
    mutating func receive(into batch: inout PacketBatch) -> Int {
        let ready = ring.newlyUsed(since: next)
        if ready == 0 || violation != nil { return 0 }
        guard ready <= ring.count else {
            let from = UInt16(truncatingIfNeeded: next)
            violation = .usedIndex(from: from, to: from &+ UInt16(truncatingIfNeeded: ready), outstanding: ring.count)
            return 0
        }
        DeviceBarrier.observeFromDevice()
        let first = next
        let ring = self.ring
        let buffers = buffersView
        let judge = self.judge
        let headers = judge.headers
        let maximum = judge.maximumFrameByteCount
        var free = judge.pool.cursor
        let limit =
            intake.buffersToDrop != 0 || !isOrdered ? 0 : min(ready, batch.room, free.freeCount, ring.descriptors.countToEnd(from: first))
        let start = ring.descriptors.slot(first)
        var id = UInt32(truncatingIfNeeded: first & (ring.count &- 1))
        var taken = 0
        var bytes: UInt64 = 0
        while taken < limit {
            let slot = start.advanced(by: taken)
            // The one read of this entry: identifier below, length above.
            let entry = ring.used.load(slot)
            let length = entry &>> 32 &- UInt64(truncatingIfNeeded: VirtioNet.Header.byteCount)
            if UInt32(truncatingIfNeeded: entry) != id || length &- 1 >= maximum { break }
            let buffer = buffers[slot]
            guard let checks = judge.checksOfGoodFrame(headers.place(of: buffer)) else { break }
            let fresh = free.peek(after: taken)
            buffers[slot] = fresh
            ring.descriptors.setWord0(headers.iova(headers.place(of: fresh)), slot)
            batch.store(PacketHandle(word: length | UInt64(buffer) &<< 16 | checks), at: taken)
            bytes &+= length
            id &+= 1
            taken &+= 1
        }
        free.drop(taken)
        judge.pool.commit(free)
        batch.append(stored: taken)
        next = first &+ taken
        intake.counters.frames &+= UInt64(truncatingIfNeeded: taken)
        intake.counters.bytes &+= bytes
        // More is ready and there is room: the next one is not in order or not good, or the ring ended here.
        if taken != ready, batch.room > 0, taken == 0 || next & (ring.count &- 1) != 0 {
            taken &+= receiveAnyOrder(into: &batch, ready: ready &- taken, fast: first)
        }
        if next != first { publish(from: first) }
        return taken
    }

    @inline(__always)
    private func publish(from first: Int) {
        ring.publish(below: next &+ ring.count)
        if ring.wantsNotification(from: first &+ ring.count, to: next &+ ring.count) { notifier.notify() }
    }

    /// The rest of what is ready, in whatever order the device used it.
    /// - Parameter fast: the first entry of this call; what was taken since then is refilled, and not published.
    @inline(never)
    private mutating func receiveAnyOrder(into batch: inout PacketBatch, ready: Int, fast: Int) -> Int {
        let first = next
        let before = batch.count
        entries: while next &- first < ready, batch.room > 0 {
            let entry = ring.used.load(ring.descriptors.slot(next))
            let id = UInt32(truncatingIfNeeded: entry)
            guard id < UInt32(ring.count) else {
                violation = .badID(id)
                break
            }
            let slot = ring.descriptors.slot(Int(id))
            let buffer = buffersView[slot]
            // An entry of the fast part used the descriptor of its own number.
            guard buffer != BufferTable.none, (Int(id) &- fast) & (ring.count &- 1) >= first &- fast else {
                violation = .foreignID(id)
                break
            }
            switch intake.dispose(of: buffer, id: id, byteCount: UInt32(truncatingIfNeeded: entry &>> 32), into: &batch) {
            case .disposed: buffersView[slot] = BufferTable.none
            case .starved: break entries
            case .violation(let found):
                violation = found
                break entries
            }
            next &+= 1
        }
        let (ring, buffers, headers) = (self.ring, buffersView, judge.headers)
        var isOrdered = self.isOrdered
        intake.takeRefills { number, id, buffer in
            if Int(id) != (first &+ number) & (ring.count &- 1) { isOrdered = false }
            let slot = ring.descriptors.slot(Int(id))
            buffers[slot] = buffer
            ring.descriptors.setWord0(headers.iova(headers.place(of: buffer)), slot)
            ring.available.store(UInt16(truncatingIfNeeded: id), ring.descriptors.slot(first &+ number))
        }
        self.isOrdered = isOrdered
        return batch.count &- before
    }

    mutating func keepCounters(of old: borrowing Self) { intake.counters = old.intake.counters }

    /// Used and not taken, as far as the device is to be believed.
    var readyCount: Int { violation == nil ? min(ring.newlyUsed(since: next), ring.count) : 0 }

    mutating func takeBackBuffers() { judge.pool.takeBack(buffersView, of: ring.descriptors) }
}
