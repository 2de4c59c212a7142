/// Completions between those who make them and poll_cq.
@safe struct CompletionEntries: ~Copyable {
    private var ring: WorkRing<WorkCompletion>
    /// Completions were lost: the program made the queue too short (ibv_create_cq(3)). It is good for nothing any more.
    private(set) var hasOverrun = false

    init(capacity: Int) { ring = WorkRing(capacity: capacity) }

    var capacity: Int { ring.capacity }
    var isEmpty: Bool { ring.isEmpty }

    @inline(__always) mutating func append(_ completion: WorkCompletion) {
        if ring.isFull { hasOverrun = true } else { ring.append(completion) }
    }

    @inline(__always) mutating func removeFirst() -> WorkCompletion? {
        if ring.isEmpty { return nil }
        let first = ring[ring.head]
        ring.removeFirst()
        return first
    }

    /// A longer or shorter ring with what is in this one; false: that is more.
    mutating func resize(capacity: Int) -> Bool {
        guard capacity >= ring.count else { return false }
        var larger = WorkRing<WorkCompletion>(capacity: capacity)
        while let completion = removeFirst() { larger.append(completion) }
        ring = larger
        return true
    }
}
