import DeviceMemory
import NicRegisters

/// A packed receive queue. Every descriptor holds a buffer; a received packet's place is refilled at once from the pool, so
/// that between two calls the device has all of them, and refill n goes where used buffer n was.
///
/// Devices use buffers in order, and the loop of good frames takes nothing else: place n names buffer n. Whatever else
/// they say goes one at a time through ``receiveAnyOrder(into:fast:)``.
struct PackedReceiveQueue: ~Copyable, VirtioReceiveQueue {
    private let ring: PackedRing
    private let buffers: BufferTable
    private let buffersView: BufferTable.View
    private let judge: VirtioFrameJudge
    private let notifier: VirtioNotifier
    private var intake: VirtioIntake
    /// Free-running number of the place where the next used buffer appears.
    private var next = 0
    private(set) var violation: VirtioRingViolation?
    var counters: ReceiveCounters { intake.counters }

    /// Fills the ring: as many buffers of the pool as it has descriptors are its own until ``takeBackBuffers()``.
    init(_ area: VirtqueueArea, usesEventIndex: Bool, judge: VirtioFrameJudge, notifier: VirtioNotifier) {
        ring = PackedRing(area, usesEventIndex: usesEventIndex)
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
            let flags = ring.availableFlags(number) | PackedRing.flags(.write)
            ring.offer(
                judge.headers.iova(judge.headers.place(of: buffer)),
                PackedRing.word1(byteCount: judge.bufferByteCount, id: UInt64(number), flags: flags), slot)
        }
        judge.pool.commit(free)
    }

    func start() { notifier.notify() }

    var hasReceived: Bool { violation == nil && ring.isUsed(next) }
    func armInterrupt() { ring.arm(next: next) }
    func disarmInterrupt() { ring.disarm() }

    /// Moves up to `batch.room` received frames into the batch and refills their places. What is no good frame gives no
    /// packet: its buffer goes back to the device, counted.
    @inline(never)
    mutating func receive(into batch: inout PacketBatch) -> Int {
        let first = next
        if violation != nil || !ring.isUsed(first) { return 0 }
        var taken = intake.buffersToDrop == 0 ? receiveInOrder(into: &batch) : 0
        // More is ready and there is room: the next one is not in order or not good, or the ring ended here.
        if batch.room > 0, taken == 0 || next & (ring.count &- 1) != 0, ring.isUsed(next) {
            taken &+= receiveAnyOrder(into: &batch, fast: first)
        }
        if next != first, ring.wantsNotification(from: first &+ ring.count, to: next &+ ring.count) { notifier.notify() }
        return taken
    }

    /// The good frames in order up to the ring's end. A function of its own: what is needed around the loop would take its
    /// registers.
    @inline(never)
    private mutating func receiveInOrder(into batch: inout PacketBatch) -> Int {
        let first = next
        let ring = self.ring
        let descriptors = ring.descriptors
        let buffers = buffersView
        let judge = self.judge
        let headers = judge.headers
        let maximum = judge.maximumFrameByteCount
        var free = judge.pool.cursor
        let limit = min(batch.room, free.freeCount, descriptors.countToEnd(from: first))
        let start = descriptors.slot(first)
        // What a used descriptor of this part says beside its length: each has one identifier more. Its refill has the same
        // identifier, another lap's flags and a whole buffer's length.
        var expected = ring.usedFlags(first) | UInt64(truncatingIfNeeded: first & (ring.count &- 1)) &<< 32
        let refill =
            judge.bufferByteCount &+ (ring.availableFlags(first &+ ring.count) | PackedRing.flags(.write)) &- ring.usedFlags(first)
        var taken = 0
        var bytes: UInt64 = 0
        while taken < limit {
            let slot = start.advanced(by: taken)
            // The one read of this descriptor: everything below judges this value.
            let word = descriptors.word1(slot)
            if word & (PackedRing.ownerMask | PackedRing.idMask) != expected { break }
            DeviceBarrier.observeFromDevice()
            let length = word & 0xffff_ffff &- UInt64(truncatingIfNeeded: VirtioNet.Header.byteCount)
            if length &- 1 >= maximum { break }
            let buffer = buffers[slot]
            guard let checks = judge.checksOfGoodFrame(headers.place(of: buffer)) else { break }
            let fresh = free.peek(after: taken)
            buffers[slot] = fresh
            ring.offer(headers.iova(headers.place(of: fresh)), expected &+ refill, slot)
            batch.store(PacketHandle(word: length | UInt64(buffer) &<< 16 | checks), at: taken)
            bytes &+= length
            expected &+= PackedRing.nextID
            taken &+= 1
        }
        free.drop(taken)
        judge.pool.commit(free)
        batch.append(stored: taken)
        next = first &+ taken
        intake.counters.frames &+= UInt64(truncatingIfNeeded: taken)
        intake.counters.bytes &+= bytes
        return taken
    }

    /// The rest of what is ready, in whatever order the device used it, at most a ring's size in one call.
    /// - Parameter fast: the first place of this call; what was taken since then is refilled already.
    @inline(never)
    private mutating func receiveAnyOrder(into batch: inout PacketBatch, fast: Int) -> Int {
        let first = next
        let before = batch.count
        places: while next &- fast < ring.count, batch.room > 0 {
            let word = ring.descriptors.word1(ring.descriptors.slot(next))
            guard word & PackedRing.ownerMask == ring.usedFlags(next) else { break }
            DeviceBarrier.observeFromDevice()
            let id = UInt32(truncatingIfNeeded: word &>> 32) & 0xffff
            guard id < UInt32(ring.count) else {
                violation = .badID(id)
                break
            }
            let slot = ring.descriptors.slot(Int(id))
            let buffer = buffersView[slot]
            // A place of the fast part had the buffer of its own number.
            guard buffer != BufferTable.none, (Int(id) &- fast) & (ring.count &- 1) >= first &- fast else {
                violation = .foreignID(id)
                break
            }
            switch intake.dispose(of: buffer, id: id, byteCount: UInt32(truncatingIfNeeded: word), into: &batch) {
            case .disposed: buffersView[slot] = BufferTable.none
            case .starved: break places
            case .violation(let found):
                violation = found
                break places
            }
            next &+= 1
        }
        let (ring, buffers, judge) = (self.ring, buffersView, self.judge)
        intake.takeRefills { number, id, buffer in
            buffers[ring.descriptors.slot(Int(id))] = buffer
            let place = first &+ number
            let flags = ring.availableFlags(place &+ ring.count) | PackedRing.flags(.write)
            ring.offer(
                judge.headers.iova(judge.headers.place(of: buffer)),
                PackedRing.word1(byteCount: judge.bufferByteCount, id: UInt64(id), flags: flags), ring.descriptors.slot(place))
        }
        return batch.count &- before
    }

    mutating func keepCounters(of old: borrowing Self) { intake.counters = old.intake.counters }

    /// Used and not taken, as far as the device is to be believed.
    var readyCount: Int { violation == nil ? (0..<ring.count).prefix { ring.isUsed(next &+ $0) }.count : 0 }

    mutating func takeBackBuffers() { judge.pool.takeBack(buffersView, of: ring.descriptors) }
}
