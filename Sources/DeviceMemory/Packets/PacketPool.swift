/// Packet buffers of one size in DMA memory, and the stack of free ones. Belongs to one port and to that port's thread.
///
/// The pool owns the memory; ports, batches and packets use it through ``PacketPoolReference``. A pool that goes while
/// packets are still out leaves their memory mapped for the process's life: a late packet never writes into memory of
/// somebody else.
@safe public final class PacketPool: @unchecked Sendable {
    public let reference: PacketPoolReference
    private var memory: DMAMemory?
    private let state: UnsafeMutablePointer<PacketPoolState>

    /// - Parameters:
    ///   - memory: holds the buffers one after the other, whole.
    ///   - iova: where the device sees the first byte.
    ///   - bufferByteCount: of each buffer; a multiple of 64.
    ///   - headroomByteCount: bytes at the start of each buffer that are kept for a header in front of the frame
    ///     (``PacketHeaders``); a multiple of 4. What is left is the packet.
    public init(memory: consuming DMAMemory, iova: IOVA, bufferByteCount: Int, headroomByteCount: Int = 0) {
        precondition(bufferByteCount > 0 && bufferByteCount & 63 == 0 && bufferByteCount <= 65472)
        precondition(headroomByteCount >= 0 && headroomByteCount & 3 == 0 && headroomByteCount < bufferByteCount)
        let capacity = min(memory.byteCount / bufferByteCount, PacketHandle.maximumIndexCount)
        precondition(capacity > 0)
        let state = UnsafeMutablePointer<PacketPoolState>.allocate(capacity: 1)
        let stack = UnsafeMutablePointer<UInt32>.allocate(capacity: capacity)
        // SAFETY: both were just allocated with these capacities; the window is the memory's own.
        unsafe stack.initialize(repeating: 0, count: capacity)
        for index in 0..<capacity { unsafe stack[index] = UInt32(capacity - 1 - index) }
        unsafe state.initialize(
            to: PacketPoolState(
                freeCount: capacity, capacity: capacity, freeStack: stack, base: memory.window.baseAddress + headroomByteCount,
                firstIOVA: iova.rawValue + UInt64(headroomByteCount), stride: bufferByteCount,
                bufferByteCount: bufferByteCount - headroomByteCount))
        // SAFETY: the state was initialized just above and lives until the last packet is back.
        unsafe self.state = state
        self.memory = consume memory
        // SAFETY: as above.
        reference = unsafe PacketPoolReference(state)
    }

    /// Buffers that nobody holds.
    public var freeCount: Int { reference.freeCount }
    public var capacity: Int { reference.capacity }
    public var pageSize: PageSize { memory?.pageSize ?? .base }

    deinit {
        guard reference.freeCount == reference.capacity else {
            // Packets are still out: their memory and the stack they return to stay.
            // SAFETY: an unbalanced retain: the memory shall stay for the rest of the process.
            if let file = memory.take() { _ = unsafe Unmanaged.passRetained(LeakedMemory(file)) }
            return
        }
        // SAFETY: every buffer is back, nothing refers to the state any more.
        unsafe state.pointee.freeStack.deallocate()
        unsafe state.deallocate()
    }
}

/// Keeps a pool's memory mapped for the rest of the process.
private final class LeakedMemory {
    let memory: DMAMemory
    init(_ memory: consuming DMAMemory) { self.memory = memory }
}

@safe @frozen @usableFromInline struct PacketPoolState {
    @usableFromInline var freeCount: Int
    @usableFromInline let capacity: Int
    @unsafe @usableFromInline let freeStack: UnsafeMutablePointer<UInt32>
    /// The first byte of the first packet, behind its headroom.
    @unsafe @usableFromInline let base: UnsafeMutableRawPointer
    @usableFromInline let firstIOVA: UInt64
    /// From one packet to the next.
    @usableFromInline let stride: Int
    @usableFromInline let bufferByteCount: Int
}

/// A pool as the data path sees it: one pointer. The port keeps the pool alive while it uses this.
@safe @frozen public struct PacketPoolReference: BitwiseCopyable, @unchecked Sendable {
    @usableFromInline let state: UnsafeMutablePointer<PacketPoolState>

    // SAFETY: whoever calls keeps the state alive; the pool does.
    @unsafe @inlinable init(_ state: UnsafeMutablePointer<PacketPoolState>) { unsafe self.state = state }

    // SAFETY: (all accessors) the pool's owner outlives every use; a pool with packets out never frees its state.
    @inlinable public var freeCount: Int { unsafe state.pointee.freeCount }
    @inlinable public var capacity: Int { unsafe state.pointee.capacity }
    /// Bytes that a packet has room for.
    @inlinable public var bufferByteCount: Int { unsafe state.pointee.bufferByteCount }
    @inlinable public var firstIOVA: UInt64 { unsafe state.pointee.firstIOVA }

    /// Takes a free buffer; nil when there is none.
    @inlinable @inline(__always) public func take() -> UInt32? {
        // SAFETY: freeCount is never above capacity, so the slot is inside the stack.
        let count = unsafe state.pointee.freeCount
        guard count > 0 else { return nil }
        unsafe state.pointee.freeCount = count &- 1
        return unsafe state.pointee.freeStack[count &- 1]
    }

    /// Gives a buffer back.
    @inlinable @inline(__always) public func give(_ index: UInt32) {
        // SAFETY: the guard keeps the slot inside the stack; more buffers than there are is our own bug and traps.
        let count = unsafe state.pointee.freeCount
        precondition(unsafe count < state.pointee.capacity, "a packet buffer given back twice")
        unsafe state.pointee.freeStack[count] = index
        unsafe state.pointee.freeCount = count &+ 1
    }

    /// The free list in locals, for a loop that takes or gives many; nobody else may touch the pool until ``commit(_:)``.
    @inlinable @inline(__always) public var cursor: PacketPoolCursor {
        // SAFETY: reads live state; the cursor keeps within the stack by its own checks.
        unsafe PacketPoolCursor(
            stack: state.pointee.freeStack, count: state.pointee.freeCount, capacity: state.pointee.capacity,
            firstIOVA: state.pointee.firstIOVA, stride: state.pointee.stride)
    }

    /// Writes back what a cursor did.
    @inlinable @inline(__always) public func commit(_ cursor: PacketPoolCursor) {
        // SAFETY: the cursor came from this state and its count is within the capacity.
        unsafe state.pointee.freeCount = cursor.count
    }

    /// The bus address of a buffer.
    @inlinable @inline(__always) public func iova(of index: UInt32) -> UInt64 {
        // SAFETY: reads two constants of live state.
        unsafe state.pointee.firstIOVA &+ UInt64(truncatingIfNeeded: Int(index) &* state.pointee.stride)
    }

    /// The bytes of a buffer.
    @inlinable public func window(of index: UInt32) -> MemoryWindow {
        // SAFETY: index is below capacity by construction of handles; checked, since a wrong one would reach foreign memory.
        precondition(unsafe Int(index) < state.pointee.capacity)
        return unsafe MemoryWindow(
            state.pointee.base + Int(index) &* state.pointee.stride, byteCount: state.pointee.bufferByteCount)
    }

    @inlinable public static func == (a: PacketPoolReference, b: PacketPoolReference) -> Bool {
        // SAFETY: compares addresses only.
        unsafe a.state == b.state
    }
}

/// A pool's free list, held in registers for the time of a loop.
@safe @frozen public struct PacketPoolCursor {
    @unsafe @usableFromInline let stack: UnsafeMutablePointer<UInt32>
    @usableFromInline var count: Int
    @usableFromInline let capacity: Int
    @usableFromInline let firstIOVA: UInt64
    @usableFromInline let stride: Int

    @unsafe @inlinable init(stack: UnsafeMutablePointer<UInt32>, count: Int, capacity: Int, firstIOVA: UInt64, stride: Int) {
        // SAFETY: the caller gives a stack of `capacity` slots.
        unsafe self.stack = stack
        self.count = count
        self.capacity = capacity
        self.firstIOVA = firstIOVA
        self.stride = stride
    }

    @inlinable public var freeCount: Int { count }

    /// Takes a buffer; the caller has seen that `freeCount` is above zero.
    @inlinable @inline(__always) public mutating func take() -> UInt32 {
        precondition(count > 0, "a packet taken from an empty pool")
        count &-= 1
        // SAFETY: 0 ≤ count < capacity.
        return unsafe stack[count]
    }

    /// The buffer that would be the one after `taken` others; nothing is taken until ``drop(_:)``.
    @inlinable @inline(__always) public func peek(after taken: Int) -> UInt32 {
        // SAFETY: callers stay below freeCount, read before their loop.
        unsafe stack[count &- 1 &- taken]
    }

    /// Takes the buffers that were peeked at.
    @inlinable @inline(__always) public mutating func drop(_ taken: Int) {
        precondition(taken >= 0 && taken <= count, "packets taken from an empty pool")
        count &-= taken
    }

    /// Gives a buffer back; more than there are is our own bug and traps.
    @inlinable @inline(__always) public mutating func give(_ index: UInt32) {
        precondition(count < capacity, "a packet buffer given back twice")
        // SAFETY: checked to lie inside the stack.
        unsafe stack[count] = index
        count &+= 1
    }

    @inlinable @inline(__always) public func iova(of index: UInt32) -> UInt64 {
        firstIOVA &+ UInt64(truncatingIfNeeded: Int(index) &* stride)
    }
}
