import DeviceMemory
import MPIBridge

/// Bytes of send requests that were copied when they were posted (IBV_SEND_INLINE).
@safe struct InlineData: ~Copyable {
    private let memory: UnsafeMutableRawPointer
    /// Bytes for each request.
    let stride: Int

    init(count: Int, byteCount: Int) {
        stride = byteCount
        // SAFETY: a piece is written before it is read.
        unsafe memory = .allocate(byteCount: max(count * byteCount, 1), alignment: 64)
    }

    deinit {
        // SAFETY: allocated by init.
        unsafe memory.deallocate()
    }

    /// A copy of `source`, at most ``stride`` bytes, in the piece of a place below the count.
    func copy(_ source: ApplicationMemory, to place: Int) -> ApplicationMemory {
        precondition(source.byteCount <= stride)
        guard source.byteCount > 0 else { return .none }
        // SAFETY: the piece of the place; it is the request's until its completion, as long as the queue pair at least.
        let window = unsafe MemoryWindow(memory + place * stride, byteCount: stride)
        source.copy(offset: 0, byteCount: source.byteCount, to: window, at: 0)
        // SAFETY: as above.
        return unsafe ApplicationMemory(address: UInt(window.processAddress), byteCount: source.byteCount)
    }
}
