import DeviceMemory
import NicRegisters

/// A piece of a buffer: a place in the bench's memory.
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

/// A driver's side of a queue, written for tests: no free list, each buffer takes the next descriptors in turn, so that a
/// test may have at most a ring's worth under way. Offsets are written out, not taken from the tables.
final class TestQueue {
    let memory: MemoryWindow
    let area: Int
    let size: Int
    let isPacked: Bool
    let start: UInt64
    /// Split: the available index. Packed: buffers so far.
    private(set) var added = 0
    private var nextDescriptor = 0
    private var wrap = true
    private var nextUsed = 0
    private var usedWrap = true
    private var slots: [Int: Int] = [:]

    var descriptors: Int { area }
    var driver: Int { area + 0x1000 }
    var device: Int { area + 0x2000 }

    init(_ memory: MemoryWindow, area: Int, size: Int, isPacked: Bool, start: UInt64) {
        self.memory = memory
        self.area = area
        self.size = size
        self.isPacked = isPacked
        self.start = start
    }

    struct Used: Equatable {
        var id: Int
        var length: UInt32
    }

    /// Makes a buffer available.
    /// - Parameters:
    ///   - table: where a table of descriptors goes; nil: none.
    ///   - id: nil for its number in the order of adding.
    /// - Returns: what the used entry will name.
    @discardableResult
    func add(_ pieces: [Piece], table: Int? = nil, publish: Bool = true) -> Int {
        isPacked ? addPacked(pieces, table: table) : addSplit(pieces, table: table, publish: publish)
    }

    // MARK: Split

    func storeDescriptor(_ number: Int, _ address: UInt64, _ byteCount: UInt32, _ flags: UInt16, _ last: UInt16, at base: Int? = nil) {
        let at = (base ?? descriptors) + 16 * number
        memory.store64(address, at: at)
        memory.store32(byteCount, at: at + 8)
        if isPacked {
            memory.store16(last, at: at + 12)
            memory.store16(flags, at: at + 14)
        } else {
            memory.store16(flags, at: at + 12)
            memory.store16(last, at: at + 14)
        }
    }

    private func addSplit(_ pieces: [Piece], table: Int?, publish: Bool) -> Int {
        let head = nextDescriptor
        if let table {
            for (index, piece) in pieces.enumerated() {
                let more: UInt16 = index + 1 < pieces.count ? 1 : 0
                storeDescriptor(
                    index, start + UInt64(piece.offset), UInt32(piece.byteCount), more | (piece.isWritable ? 2 : 0), UInt16(index + 1),
                    at: table)
            }
            storeDescriptor(head, start + UInt64(table), UInt32(16 * pieces.count), 4, 0)
            nextDescriptor = (head + 1) % size
        } else {
            for (index, piece) in pieces.enumerated() {
                let number = (head + index) % size
                let more: UInt16 = index + 1 < pieces.count ? 1 : 0
                storeDescriptor(
                    number, start + UInt64(piece.offset), UInt32(piece.byteCount), more | (piece.isWritable ? 2 : 0),
                    UInt16((number + 1) % size))
            }
            nextDescriptor = (head + pieces.count) % size
        }
        makeAvailable(head: UInt16(head), publish: publish)
        return head
    }

    /// Split: whatever the head is.
    func makeAvailable(head: UInt16, publish: Bool = true) {
        memory.store16(head, at: driver + 4 + 2 * (added % size))
        added += 1
        if publish { publishAvailable() }
    }

    func publishAvailable() { memory.store16(UInt16(truncatingIfNeeded: added), at: driver + 2) }

    // MARK: Packed

    private func addPacked(_ pieces: [Piece], table: Int?) -> Int {
        let id = added % 0x8000
        added += 1
        var ring = pieces.map { ($0.offset, $0.byteCount, $0.isWritable ? UInt16(2) : 0) }
        if let table {
            for (index, piece) in pieces.enumerated() {
                storeDescriptor(
                    index, start + UInt64(piece.offset), UInt32(piece.byteCount), piece.isWritable ? 2 : 0, 0xeeee, at: table)
            }
            ring = [(table, 16 * pieces.count, 4)]
        }
        let first = nextDescriptor
        var firstFlags: UInt16 = 0
        for (index, piece) in ring.enumerated() {
            let flags = piece.2 | (wrap ? 0x80 : 0x8000) | (index + 1 < ring.count ? 1 : 0)
            // The list becomes available with its first descriptor's flags.
            if index == 0 { firstFlags = flags }
            let flagsNow = index == 0 ? memory.load16(at: descriptors + 16 * nextDescriptor + 14) : flags
            storeDescriptor(nextDescriptor, start + UInt64(piece.0), UInt32(piece.1), flagsNow, UInt16(id))
            nextDescriptor += 1
            if nextDescriptor == size {
                nextDescriptor = 0
                wrap.toggle()
            }
        }
        memory.store16(firstFlags, at: descriptors + 16 * first + 14)
        slots[id] = ring.count
        return id
    }

    // MARK: Used

    /// What the device gave back since the last look.
    func takeUsed() -> [Used] {
        var used: [Used] = []
        while let one = isPacked ? takePacked() : takeSplit() { used.append(one) }
        return used
    }

    private func takeSplit() -> Used? {
        guard memory.load16(at: device + 2) != UInt16(truncatingIfNeeded: nextUsed) else { return nil }
        let at = device + 4 + 8 * (nextUsed % size)
        nextUsed += 1
        return Used(id: Int(memory.load32(at: at)), length: memory.load32(at: at + 4))
    }

    private func takePacked() -> Used? {
        let at = descriptors + 16 * nextUsed
        let flags = memory.load16(at: at + 14)
        guard flags & 0x8080 == (usedWrap ? 0x8080 : 0) else { return nil }
        let used = Used(id: Int(memory.load16(at: at + 12)), length: flags & 2 == 0 ? 0 : memory.load32(at: at + 8))
        nextUsed += slots[used.id] ?? size
        if nextUsed >= size {
            nextUsed -= size
            usedWrap.toggle()
        }
        return used
    }
}
