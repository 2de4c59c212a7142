import DeviceMemory

/// Zeroed memory that lives as long as its owner.
final class TestMemory: Sendable {
    private let memory: DMAMemory
    let window: MemoryWindow

    init(byteCount: Int) {
        do { memory = try DMAMemory.ordinary(byteCount: byteCount, name: "unic-test") } catch { fatalError("\(error)") }
        window = memory.window.slice(at: 0, byteCount: byteCount)
    }

    /// A pool of `count` buffers of 2048 bytes, two to a page, so one more for an odd count. First IOVA 0x100000.
    static func pool(count: Int) -> PacketPool {
        do {
            let memory = try DMAMemory.ordinary(byteCount: count * 2048, name: "unic-test")
            return PacketPool(memory: memory, iova: IOVA(0x10_0000), bufferByteCount: 2048)
        } catch { fatalError("\(error)") }
    }
}
