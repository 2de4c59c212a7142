/// Completions that wait to be read, oldest first.
@safe struct CompletionRing: ~Copyable {
    private let records: UnsafeMutablePointer<CompletionRecord>
    private let mask: Int
    private var first = 0
    private var end = 0

    /// - Parameter capacity: at least so many have room; 1…2²⁴.
    init(capacity: Int) {
        precondition((1...1 << 24).contains(capacity), "a completion queue of \(capacity) entries")
        var size = 1
        while size < capacity { size <<= 1 }
        mask = size - 1
        // SAFETY: the deinit gives it back. Pages are touched when they are used.
        unsafe records = .allocate(capacity: size)
        // SAFETY: as above; the type is bits.
        unsafe records.initialize(repeating: CompletionRecord(), count: size)
    }

    deinit {
        // SAFETY: allocated by `init`.
        unsafe records.deallocate()
    }

    @inline(__always) var count: Int { end &- first }
    @inline(__always) var room: Int { mask &+ 1 &- count }

    /// False: there is no room.
    @inline(__always) mutating func append(_ record: CompletionRecord) -> Bool {
        guard room > 0 else { return false }
        // SAFETY: the mask keeps the index inside.
        unsafe records[end & mask] = record
        end &+= 1
        return true
    }

    /// The oldest; only if ``count`` is above 0.
    @inline(__always) var oldest: CompletionRecord {
        // SAFETY: the mask keeps the index inside, where every record is initialized.
        unsafe records[first & mask]
    }

    @inline(__always) mutating func removeOldest() { if count > 0 { first &+= 1 } }
}
