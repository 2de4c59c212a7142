/// Memory that a space knows of and cannot show: each access is a request to its owner.
public protocol IndirectMemory: AnyObject {
    /// Copies up to `byteCount` bytes from the device's address into memory of ours. Returns how many; 0: nothing of this
    /// memory lies there, it may not be read, or its owner did not answer.
    func read(_ iova: IOVA, byteCount: Int, to target: MemoryWindow, at targetOffset: Int) -> Int
    /// The same from memory of ours to the device's address.
    func write(_ iova: IOVA, byteCount: Int, from source: MemoryWindow, at sourceOffset: Int) -> Int
}
