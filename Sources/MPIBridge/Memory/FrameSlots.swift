import DeviceMemory

/// Frames that are kept until they are acknowledged, each as long as the port's longest.
@safe struct FrameSlots: ~Copyable {
    private let memory: UnsafeMutableRawPointer
    private var slots: Slab<UInt8>
    private let stride: Int

    init(count: Int, frameByteCount: Int) {
        stride = (frameByteCount + 63) & ~63
        slots = Slab(capacity: count)
        // SAFETY: initialized before a window of it is handed out.
        unsafe memory = .allocate(byteCount: count * stride, alignment: 64)
    }

    deinit {
        // SAFETY: allocated by init.
        unsafe memory.deallocate()
    }

    var freeCount: Int { slots.freeCount }
    mutating func take() -> UInt32? { slots.take(0) }
    mutating func give(_ slot: UInt32) { slots.give(slot) }

    func window(_ slot: UInt32) -> MemoryWindow {
        precondition(slots.isInUse(slot))
        // SAFETY: the slot lies inside the memory, which lives as long as the endpoint that uses the window.
        return unsafe MemoryWindow(memory + Int(slot) &* stride, byteCount: stride)
    }
}
