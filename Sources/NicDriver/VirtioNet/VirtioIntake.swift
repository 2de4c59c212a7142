import DeviceMemory

/// The slow half of receiving, the same for both rings: used buffers one at a time and in any order, and what the queue
/// counts. A buffer that goes back to the device waits here until the call ends, so that one which the device names twice
/// is found out.
struct VirtioIntake: ~Copyable {
    private let judge: VirtioFrameJudge
    private let ids: BufferTable
    private let fresh: BufferTable
    private let ring: DescriptorRing
    /// Buffers that go back to the device when the call ends.
    private(set) var pending = 0
    /// So many buffers more belong to a frame that is being dropped.
    private(set) var buffersToDrop = 0
    var counters = ReceiveCounters()

    init(_ judge: VirtioFrameJudge, ring: DescriptorRing) {
        self.judge = judge
        self.ring = ring
        ids = BufferTable(count: ring.count)
        fresh = BufferTable(count: ring.count)
    }

    enum Outcome {
        /// The buffer is gone from the ring; its place is refilled when the call ends.
        case disposed
        /// There is no fresh buffer: it stays used.
        case starved
        case violation(VirtioRingViolation)
    }

    /// Puts the frame of a used buffer into the batch, or drops it, counted.
    /// - Parameters:
    ///   - id: by which the device named it; its table entry is the caller's to clear.
    ///   - byteCount: as the device says, header included.
    mutating func dispose(of buffer: UInt32, id: UInt32, byteCount: UInt32, into batch: inout PacketBatch) -> Outcome {
        if buffersToDrop > 0 {
            buffersToDrop -= 1
            refill(id, with: buffer)
            return .disposed
        }
        switch judge.judge(buffer: buffer, byteCount: byteCount) {
        case .good(let handle):
            guard let new = judge.pool.take() else {
                counters.refillStarved &+= 1
                return .starved
            }
            batch.store(handle, at: 0)
            batch.append(stored: 1)
            counters.frames &+= 1
            counters.bytes &+= UInt64(handle.byteCount)
            refill(id, with: new)
        case .spread(let more):
            guard more < ring.count else { return .violation(.spread(buffers: more + 1)) }
            counters.lengthErrors &+= 1
            buffersToDrop = more
            refill(id, with: buffer)
        case .wrongLength:
            counters.lengthErrors &+= 1
            refill(id, with: buffer)
        case .damaged:
            counters.frameErrors &+= 1
            refill(id, with: buffer)
        }
        return .disposed
    }

    private mutating func refill(_ id: UInt32, with buffer: UInt32) {
        ids.view[ring.slot(pending)] = id
        fresh.view[ring.slot(pending)] = buffer
        pending += 1
    }

    /// Hands over what waits, in the order of the used buffers.
    mutating func takeRefills(_ body: (_ number: Int, _ id: UInt32, _ buffer: UInt32) -> Void) {
        for number in 0..<pending { body(number, ids.view[ring.slot(number)], fresh.view[ring.slot(number)]) }
        pending = 0
    }
}

extension BufferTable.View {
    /// Empties the entries of a range of free-running numbers.
    func clear(_ numbers: Range<Int>, of ring: DescriptorRing) {
        for number in numbers { self[ring.slot(number)] = BufferTable.none }
    }
}

extension PacketPoolReference {
    /// Gives back what a ring's table holds, and empties it.
    func takeBack(_ buffers: BufferTable.View, of ring: DescriptorRing) {
        for number in 0..<ring.count where buffers[ring.slot(number)] != BufferTable.none {
            give(buffers[ring.slot(number)])
            buffers[ring.slot(number)] = BufferTable.none
        }
    }
}
