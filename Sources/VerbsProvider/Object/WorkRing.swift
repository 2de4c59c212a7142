/// Work requests from posting to completion. Positions count up and never go back; what is between ``head`` and ``next`` was
/// begun, between ``next`` and ``tail`` not yet.
@safe struct WorkRing<Work: BitwiseCopyable>: ~Copyable {
    private let places: UnsafeMutablePointer<Work>
    private let mask: UInt32
    private(set) var head: UInt32 = 0
    var next: UInt32 = 0
    private(set) var tail: UInt32 = 0
    let capacity: Int

    /// - Parameter capacity: at least; the next power of two is taken.
    init(capacity wanted: Int) {
        var size = 1
        while size < wanted { size *= 2 }
        capacity = size
        mask = UInt32(size - 1)
        // SAFETY: a place is initialized before it is read: only positions from head to tail are.
        unsafe places = .allocate(capacity: size)
    }

    deinit {
        // SAFETY: allocated by init; the elements need no destruction.
        unsafe places.deallocate()
    }

    var count: Int { Int(tail &- head) }
    var isEmpty: Bool { tail == head }
    var isFull: Bool { count == capacity }
    /// Not begun.
    var hasWaiting: Bool { next != tail }
    func contains(_ position: UInt32) -> Bool { position &- head < tail &- head }

    /// The ring is not full.
    @inline(__always) mutating func append(_ work: Work) {
        precondition(!isFull)
        // SAFETY: masked to the ring's size.
        unsafe (places + Int(tail & mask)).initialize(to: work)
        tail &+= 1
    }

    @inline(__always) mutating func removeFirst() {
        precondition(head != tail)
        if next == head { next &+= 1 }
        head &+= 1
    }

    /// Forgets everything.
    mutating func removeAll() {
        head = tail
        next = tail
    }

    /// The place that a position has, counted from 0.
    @inline(__always) func place(of position: UInt32) -> Int { Int(position & mask) }

    @inline(__always) subscript(position: UInt32) -> Work {
        _read {
            precondition(contains(position))
            // SAFETY: a position between head and tail, masked to the ring's size.
            yield unsafe places[Int(position & mask)]
        }
        _modify {
            precondition(contains(position))
            // SAFETY: as above.
            yield unsafe &places[Int(position & mask)]
        }
    }
}
