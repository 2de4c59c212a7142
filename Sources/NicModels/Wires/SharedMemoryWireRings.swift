import DeviceMemory

/// One end's rings: it writes those from it to every other end, and reads those from every other end to it.
///
/// A position counts the bytes that ever went through a ring, and never goes back; `position % ringByteCount` is a place.
/// What the other side can write (records, its index) is read once, judged, then used.
struct WireRings: ~Copyable {
    private let memory: MemoryWindow
    private let end: Int

    /// Ends that frames go to, a bit each.
    private(set) var liveEnds: UInt64 = 0
    /// Ends whose rings are looked at: those, and any that left frames behind.
    private var watchedEnds: UInt64 = 0
    private var nextEnd = 0

    private var sendTails = InlineArray<64, UInt64>(repeating: 0)
    /// What was last seen of the receivers' heads.
    private var sendHeads = InlineArray<64, UInt64>(repeating: 0)
    private var receiveHeads = InlineArray<64, UInt64>(repeating: 0)
    /// What was last seen of the senders' tails.
    private var receiveTails = InlineArray<64, UInt64>(repeating: 0)
    /// The arming that each receiver was last woken for.
    private var wokenArmings = InlineArray<64, UInt32>(repeating: 0)

    /// Ends that frames went to since ``sleepers()`` was asked last.
    private var published: UInt64 = 0

    private var shown: MemoryWindow?
    private var shownEnd = 0
    private var seenMembership: UInt32 = 0
    private var arming: UInt32
    private var filter: UInt64 = 0
    var counters = WireCounters()

    init(memory: MemoryWindow, end: Int) {
        self.memory = memory
        self.end = end
        arming = (memory.load32(at: WireLayout.armedOffset(end)) &+ 1) & ~1
        memory.storeRelease32(arming, at: WireLayout.armedOffset(end))
        for other in 0..<WireLayout.endCount where other != end {
            // The tails of this end's last owner: its frames stay in order for whoever has not read them yet.
            sendTails[other] = memory.loadAcquire64(at: WireLayout.tailOffset(from: end, to: other)) & ~63
            memory.storeRelease64(sendTails[other], at: WireLayout.tailOffset(from: end, to: other))
            sendHeads[other] = memory.loadAcquire64(at: WireLayout.headOffset(from: end, to: other))
            receiveHeads[other] = memory.loadAcquire64(at: WireLayout.headOffset(from: other, to: end))
            receiveTails[other] = receiveHeads[other]
        }
    }

    private static var mask: UInt64 { UInt64(WireLayout.ringByteCount) &- 1 }

    // MARK: Sending

    /// Copies a frame into the ring of every living end that wants it.
    mutating func send(_ frame: MemoryWindow) {
        let count = frame.byteCount
        guard count >= WireLayout.minimumFrameByteCount, count <= wireMaximumFrameByteCount else { return }
        counters.sentFrames &+= 1
        let destination = UInt64(frame.load32(at: 0)) | UInt64(frame.load16(at: 4)) &<< 32
        let wanted = destination | WireLayout.filterIsSet
        let isForAll = destination & 1 == 1
        var rest = liveEnds
        while rest != 0 {
            let other = rest.trailingZeroBitCount
            rest &= rest &- 1
            if !isForAll {
                let filter = memory.load64(at: WireLayout.filterOffset(other))
                if filter & WireLayout.filterIsSet != 0, filter != wanted { continue }
            }
            if put(frame, to: other) { published |= 1 &<< other } else { counters.droppedFull &+= 1 }
        }
    }

    /// Those among the receivers of the last frames who have to be woken, a bit each, once for each arming. The barrier pairs with
    /// the one in ``arm()``: either this sees the arming, or the receiver sees the frames when it looks again. It waits until all
    /// that was copied has reached the other core, so there is one for a batch and not one for a frame.
    mutating func sleepers() -> UInt64 {
        guard published != 0 else { return 0 }
        ProcessorBarrier.full()
        var rest = published
        published = 0
        var asleep: UInt64 = 0
        while rest != 0 {
            let other = rest.trailingZeroBitCount
            rest &= rest &- 1
            let arming = memory.loadAcquire32(at: WireLayout.armedOffset(other))
            if arming & 1 == 1, arming != wokenArmings[other] {
                wokenArmings[other] = arming
                asleep |= 1 &<< other
            }
        }
        return asleep
    }

    private mutating func put(_ frame: MemoryWindow, to other: Int) -> Bool {
        let tail = sendTails[other]
        let place = Int(truncatingIfNeeded: tail & WireRings.mask)
        let record = WireLayout.recordByteCount(frame.byteCount)
        let untilEnd = WireLayout.ringByteCount &- place
        let needed = UInt64(truncatingIfNeeded: record <= untilEnd ? record : untilEnd &+ record)
        if tail &+ needed &- sendHeads[other] > UInt64(WireLayout.ringByteCount) {
            // The receiver's word: an impossible one, or one that makes no room, changes nothing here.
            let head = memory.loadAcquire64(at: WireLayout.headOffset(from: end, to: other))
            guard tail &- head <= UInt64(WireLayout.ringByteCount) &- needed else { return false }
            sendHeads[other] = head
        }
        let ring = WireLayout.ringOffset(from: end, to: other)
        var start = ring &+ place
        if record > untilEnd {
            memory.store32(WireLayout.skipMark, at: start)
            start = ring
        }
        memory.store32(UInt32(truncatingIfNeeded: frame.byteCount), at: start)
        frame.copy(at: 0, byteCount: frame.byteCount, to: memory, at: start &+ WireLayout.recordHeaderByteCount)
        sendTails[other] = tail &+ needed
        memory.storeRelease64(tail &+ needed, at: WireLayout.tailOffset(from: end, to: other))
        return true
    }

    // MARK: Receiving

    /// The frame that is shown until ``drop()``: the next one of the end whose turn it is.
    mutating func next() -> MemoryWindow? {
        if let shown { return shown }
        let later = watchedEnds & (UInt64.max &<< UInt64(truncatingIfNeeded: nextEnd))
        return firstFrame(among: later) ?? firstFrame(among: watchedEnds & ~later)
    }

    private mutating func firstFrame(among ends: UInt64) -> MemoryWindow? {
        var rest = ends
        while rest != 0 {
            let other = rest.trailingZeroBitCount
            rest &= rest &- 1
            if receiveHeads[other] == receiveTails[other], !lookAtTail(of: other) { continue }
            if let frame = take(from: other) { return frame }
        }
        return nil
    }

    /// Reads a sender's tail, and judges it. True if there is something.
    private mutating func lookAtTail(of other: Int) -> Bool {
        let head = receiveHeads[other]
        let tail = memory.loadAcquire64(at: WireLayout.tailOffset(from: other, to: end))
        if tail == head {
            // An end that left and whose frames are all read need not be looked at any more.
            if liveEnds & (1 &<< other) == 0 { watchedEnds &= ~(1 &<< other) }
            return false
        }
        receiveTails[other] = tail & ~63
        if tail &- head > UInt64(WireLayout.ringByteCount) || tail & 63 != 0 { skipDamage(from: other) }
        return receiveTails[other] != receiveHeads[other]
    }

    /// The record at the head, whose length is read once. One that cannot be: everything up to the tail is dropped.
    private mutating func take(from other: Int) -> MemoryWindow? {
        let ring = WireLayout.ringOffset(from: other, to: end)
        for _ in 0..<2 {
            let head = receiveHeads[other]
            let available = receiveTails[other] &- head
            let place = Int(truncatingIfNeeded: head & WireRings.mask)
            let untilEnd = WireLayout.ringByteCount &- place
            if available == 0 { return nil }
            let length = memory.load32(at: ring &+ place)
            if length == WireLayout.skipMark, UInt64(truncatingIfNeeded: untilEnd) < available, place != 0 {
                receiveHeads[other] = head &+ UInt64(truncatingIfNeeded: untilEnd)
                continue
            }
            guard length >= UInt32(WireLayout.minimumFrameByteCount), length <= UInt32(wireMaximumFrameByteCount) else { break }
            let count = Int(truncatingIfNeeded: length)
            let record = WireLayout.recordByteCount(count)
            guard record <= untilEnd, UInt64(truncatingIfNeeded: record) <= available else { break }
            let frame = memory.slice(at: ring &+ place &+ WireLayout.recordHeaderByteCount, byteCount: count)
            shown = frame
            shownEnd = other
            receiveHeads[other] = head &+ UInt64(truncatingIfNeeded: record)
            return frame
        }
        skipDamage(from: other)
        return nil
    }

    private mutating func skipDamage(from other: Int) {
        counters.droppedDamaged &+= 1
        receiveHeads[other] = receiveTails[other]
        memory.storeRelease64(receiveHeads[other], at: WireLayout.headOffset(from: other, to: end))
    }

    /// Gives the shown frame's room back to its sender.
    mutating func drop() {
        guard shown != nil else { return }
        shown = nil
        counters.receivedFrames &+= 1
        memory.storeRelease64(receiveHeads[shownEnd], at: WireLayout.headOffset(from: shownEnd, to: end))
        nextEnd = (shownEnd &+ 1) & (WireLayout.endCount &- 1)
    }

    // MARK: Membership

    /// Whether anyone joined or left since this was last asked for: one load of a line that seldom changes.
    mutating func membershipChanged() -> Bool {
        let now = memory.loadAcquire32(at: WireLayout.membershipOffset)
        if now == seenMembership { return false }
        seenMembership = now
        return true
    }

    func generation(of other: Int) -> UInt32 { memory.loadAcquire32(at: WireLayout.generationOffset(other)) }

    /// From now on frames go to these ends. Those that are new are looked at; those that left, until their rings are empty.
    mutating func setLive(_ ends: UInt64) {
        for other in 0..<WireLayout.endCount where ends & ~liveEnds & (1 &<< other) != 0 { wokenArmings[other] = 0 }
        liveEnds = ends
        watchedEnds |= ends
    }

    mutating func setFilter(_ word: UInt64) {
        filter = word
        memory.storeRelease64(word, at: WireLayout.filterOffset(end))
    }

    /// Says that this end is about to sleep. Frames published before this are there when it looks again; later ones wake it, also if
    /// it was armed and woken before: each arming is another.
    mutating func arm() {
        arming = (arming &+ 1) | 1
        memory.storeRelease32(arming, at: WireLayout.armedOffset(end))
        ProcessorBarrier.full()
    }

    mutating func disarm() {
        arming = (arming &+ 1) & ~1
        memory.storeRelease32(arming, at: WireLayout.armedOffset(end))
    }

    /// Writes this end's own words again where they are not what they were: somebody else scribbled over them. A head that
    /// lies would keep its ring full for ever.
    mutating func mendOwnWords(generation: UInt32) {
        var damaged = false
        func mend64(_ value: UInt64, _ offset: Int) {
            if memory.load64(at: offset) != value { memory.storeRelease64(value, at: offset); damaged = true }
        }
        func mend32(_ value: UInt32, _ offset: Int) {
            if memory.load32(at: offset) != value { memory.storeRelease32(value, at: offset); damaged = true }
        }
        mend32(generation, WireLayout.generationOffset(end))
        mend32(arming, WireLayout.armedOffset(end))
        mend64(filter, WireLayout.filterOffset(end))
        if shown == nil {
            for other in 0..<WireLayout.endCount where watchedEnds & (1 &<< other) != 0 {
                mend64(receiveHeads[other], WireLayout.headOffset(from: other, to: end))
                mend64(sendTails[other], WireLayout.tailOffset(from: end, to: other))
            }
        }
        if damaged { counters.droppedDamaged &+= 1 }
    }
}
