/// Which packet buffer each slot of a ring holds: software's own memory, never the device's. A power of two of them.
@safe public struct BufferTable: ~Copyable, @unchecked Sendable {
    private let storage: UnsafeMutablePointer<UInt32>
    public let count: Int

    /// A slot without a buffer.
    @inlinable public static var none: UInt32 { .max }

    public init(count: Int) {
        precondition(count > 0 && count & (count - 1) == 0)
        self.count = count
        unsafe storage = UnsafeMutablePointer<UInt32>.allocate(capacity: count)
        // SAFETY: just allocated with this capacity.
        unsafe storage.initialize(repeating: BufferTable.none, count: count)
    }

    deinit {
        // SAFETY: allocated by init; views do not outlive the ring that owns this table.
        unsafe storage.deallocate()
    }

    public var view: View { unsafe View(storage, count: count) }

    /// The table as the data path sees it. Lives no longer than the table.
    @safe @frozen public struct View: BitwiseCopyable, @unchecked Sendable {
        @unsafe @usableFromInline let base: UnsafeMutablePointer<UInt32>
        @usableFromInline let mask: Int

        @unsafe @inlinable init(_ base: UnsafeMutablePointer<UInt32>, count: Int) {
            unsafe self.base = base
            mask = count - 1
        }

        @inlinable public subscript(_ number: Int) -> UInt32 {
            // SAFETY: the mask keeps the slot inside the table.
            @inline(__always) get { unsafe base[number & mask] }
            @inline(__always) nonmutating set { unsafe base[number & mask] = newValue }
        }
    }
}
