import DeviceMemory

/// A driver's side of a split virtqueue, with the free list that drivers have. Offsets are written out, not taken from
/// the tables of the sources.
final class GuestVirtioQueue {
    let memory: MemoryWindow
    /// Where the parts are in memory: descriptors, available ring, used ring.
    let descriptors: Int
    let driver: Int
    let device: Int
    let size: Int
    /// The address of the memory's first byte.
    let start: UInt64
    private var free: [UInt16]
    private var chains: [UInt16: [UInt16]] = [:]
    private(set) var added: UInt16 = 0
    private var published: UInt16 = 0
    private(set) var seen: UInt16 = 0

    /// Bytes that a queue of `size` takes, in whole pages.
    static func byteCount(size: Int) -> Int { page(16 * size) + page(6 + 2 * size) + page(6 + 8 * size) }
    private static func page(_ byteCount: Int) -> Int { (byteCount + 4095) & ~4095 }

    init(_ memory: MemoryWindow, at area: Int, size: Int, start: UInt64) {
        self.memory = memory
        self.size = size
        self.start = start
        descriptors = area
        driver = area + Self.page(16 * size)
        device = driver + Self.page(6 + 2 * size)
        free = (0..<UInt16(size)).reversed()
        memory.slice(at: area, byteCount: Self.byteCount(size: size)).fill(0)
    }

    struct Piece {
        var offset: Int
        var byteCount: Int
        var isWritable: Bool
        init(_ offset: Int, _ byteCount: Int, isWritable: Bool = false) {
            self.offset = offset
            self.byteCount = byteCount
            self.isWritable = isWritable
        }
    }

    struct Used: Equatable {
        var id: Int
        var length: Int
    }

    func storeDescriptor(_ number: Int, _ address: UInt64, _ byteCount: Int, _ flags: UInt16, _ next: Int, table: Int? = nil) {
        let at = (table ?? descriptors) + 16 * number
        memory.store64(address, at: at)
        memory.store32(UInt32(truncatingIfNeeded: byteCount), at: at + 8)
        memory.store16(flags, at: at + 12)
        memory.store16(UInt16(truncatingIfNeeded: next), at: at + 14)
    }

    /// Makes a buffer available; the driver's index is shown by ``publish()``.
    /// - Parameter table: where an indirect table goes; nil: none.
    /// - Returns: what the used entry will name; nil: the ring is full.
    @discardableResult func add(_ pieces: [Piece], table: Int? = nil) -> Int? {
        let needed = table == nil ? pieces.count : 1
        guard free.count >= needed else { return nil }
        let numbers = (0..<needed).map { _ in free.removeLast() }
        for (index, piece) in pieces.enumerated() {
            let isLast = index + 1 == pieces.count
            let flags: UInt16 = (isLast ? 0 : 1) | (piece.isWritable ? 2 : 0)
            let next = isLast ? 0 : table == nil ? Int(numbers[index + 1]) : index + 1
            let number = table == nil ? Int(numbers[index]) : index
            storeDescriptor(number, start + UInt64(piece.offset), piece.byteCount, flags, next, table: table)
        }
        if let table { storeDescriptor(Int(numbers[0]), start + UInt64(table), 16 * pieces.count, 4, 0) }
        chains[numbers[0]] = numbers
        addHead(numbers[0])
        return Int(numbers[0])
    }

    /// Whatever the head is.
    func addHead(_ head: UInt16) {
        memory.store16(head, at: driver + 4 + 2 * (Int(added) % size))
        added &+= 1
    }

    func publish() {
        DeviceBarrier.publishToDevice()
        memory.store16(added, at: driver + 2)
    }

    /// The driver's index as the device sees it, whatever was added.
    func publish(index: UInt16) { memory.store16(index, at: driver + 2) }

    /// With EVENT_IDX: whether the device wants to be notified of what was published since the last time it was asked.
    func needsNotification() -> Bool {
        ProcessorBarrier.full()
        let event = memory.load16(at: device + 4 + 8 * size)
        defer { published = added }
        return added &- event &- 1 < added &- published
    }

    /// With EVENT_IDX: from which used entry on the driver wants an interrupt.
    func setUsedEvent(_ index: UInt16) { memory.store16(index, at: driver + 4 + 2 * size) }

    var usedIndex: UInt16 { memory.load16(at: device + 2) }

    /// The next buffer that the device gave back.
    func takeUsed() -> Used? {
        guard usedIndex != seen else { return nil }
        DeviceBarrier.observeFromDevice()
        let at = device + 4 + 8 * (Int(seen) % size)
        seen &+= 1
        let used = Used(id: Int(memory.load32(at: at)), length: Int(memory.load32(at: at + 4)))
        if let numbers = chains.removeValue(forKey: UInt16(truncatingIfNeeded: used.id)) { free.append(contentsOf: numbers) }
        return used
    }
}
