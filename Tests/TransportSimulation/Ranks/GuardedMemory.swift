import DeviceMemory
import MPIBridge

/// Application memory of one to four pieces with guard bytes around each, so that a byte written outside shows.
@safe final class GuardedMemory {
    static let guardByte: UInt8 = 0xa5
    private static let guardByteCount = 32

    let byteCount: Int
    private let memory: UnsafeMutableRawBufferPointer
    private let pieces: [Range<Int>]

    /// - Parameter cuts: offsets within `byteCount` where a new piece begins, ascending, at most three.
    init(byteCount: Int, cuts: [Int] = []) {
        self.byteCount = byteCount
        var at = Self.guardByteCount
        var pieces: [Range<Int>] = []
        var start = 0
        for end in cuts + [byteCount] {
            pieces.append(at..<at + end - start)
            at += end - start + Self.guardByteCount
            start = end
        }
        self.pieces = pieces
        // SAFETY: initialized right away, freed by deinit.
        unsafe memory = .allocate(byteCount: at, alignment: 8)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: Self.guardByte)
    }

    deinit {
        // SAFETY: allocated by init; operations that use it are over.
        unsafe memory.deallocate()
    }

    private var base: UInt {
        // SAFETY: only the address is taken; an allocation of more than no bytes has one.
        unsafe UInt(bitPattern: memory.baseAddress)
    }

    var application: ApplicationMemory {
        // SAFETY: the memory lives as long as this object, which is kept until the operation is over.
        unsafe ApplicationMemory(count: pieces.count) {
            MemoryPiece(address: base + UInt(pieces[$0].lowerBound), byteCount: pieces[$0].count)
        }
            ?? .none
    }

    /// The first byte's address; of memory in one piece.
    var address: UInt { base + UInt(pieces[0].lowerBound) }

    /// Writes a pattern from its offset `start` on.
    func fill(_ pattern: Pattern, from start: Int = 0) {
        var offset = 0
        for piece in pieces {
            // SAFETY: pieces lie inside the memory.
            unsafe pattern.store(into: UnsafeMutableRawBufferPointer(rebasing: memory[piece]), from: start + offset)
            offset += piece.count
        }
    }

    /// Every byte is the guard's again.
    func scribble(_ byte: UInt8 = guardByte) { unsafe memory.initializeMemory(as: UInt8.self, repeating: byte) }

    /// Whether `count` bytes from `offset` are the pattern's, which begins at its byte `start`.
    func holds(_ pattern: Pattern, from start: Int = 0, at offset: Int = 0, count: Int) -> Bool {
        var done = 0
        for piece in pieces {
            let from = max(piece.lowerBound, piece.lowerBound + offset - done)
            let to = min(piece.upperBound, piece.lowerBound + offset + count - done)
            if from < to {
                let skipped = done + from - piece.lowerBound - offset
                // SAFETY: inside the piece.
                guard unsafe pattern.equals(UnsafeRawBufferPointer(rebasing: memory[from..<to]), from: start + skipped) else {
                    return false
                }
            }
            done += piece.count
        }
        return true
    }

    /// Whether nothing but the given bytes was ever written.
    func isUntouched(except used: Range<Int> = 0..<0) -> Bool {
        var end = 0
        var offset = 0
        for piece in pieces {
            guard isGuard(end..<piece.lowerBound) else { return false }
            let low = min(piece.upperBound, max(piece.lowerBound, piece.lowerBound + used.lowerBound - offset))
            let high = max(low, min(piece.upperBound, piece.lowerBound + used.upperBound - offset))
            guard isGuard(piece.lowerBound..<low), isGuard(high..<piece.upperBound) else { return false }
            offset += piece.count
            end = piece.upperBound
        }
        return unsafe isGuard(end..<memory.count)
    }

    private func isGuard(_ range: Range<Int>) -> Bool {
        let word = UInt64(Self.guardByte) &* 0x0101_0101_0101_0101
        var at = range.lowerBound
        while at &+ 8 <= range.upperBound {
            // SAFETY: (both) ranges lie inside the memory.
            guard unsafe memory.loadUnaligned(fromByteOffset: at, as: UInt64.self) == word else { return false }
            at &+= 8
        }
        while at < range.upperBound {
            guard unsafe memory[at] == Self.guardByte else { return false }
            at &+= 1
        }
        return true
    }
}

/// Bytes that follow from a number.
struct Pattern {
    let number: UInt64
    init(_ number: UInt64) { self.number = number &* 0x9e37_79b9_7f4a_7c15 | 1 }

    @inline(__always) private func word(_ index: Int) -> UInt64 {
        let value = (UInt64(truncatingIfNeeded: index) &+ 0x1234_5678) &* number
        return value ^ value >> 29
    }

    func store(into target: UnsafeMutableRawBufferPointer, from start: Int) {
        var at = 0
        while at < target.count, (start + at) & 7 != 0 {
            unsafe target[at] = byte(start + at)
            at += 1
        }
        while at + 8 <= target.count {
            unsafe target.storeBytes(of: word((start + at) >> 3), toByteOffset: at, as: UInt64.self)
            at += 8
        }
        while at < target.count {
            unsafe target[at] = byte(start + at)
            at += 1
        }
    }

    func equals(_ source: UnsafeRawBufferPointer, from start: Int) -> Bool {
        var at = 0
        while at < source.count, (start + at) & 7 != 0 {
            guard unsafe source[at] == byte(start + at) else { return false }
            at += 1
        }
        while at + 8 <= source.count {
            guard unsafe source.loadUnaligned(fromByteOffset: at, as: UInt64.self) == word((start + at) >> 3) else { return false }
            at += 8
        }
        while at < source.count {
            guard unsafe source[at] == byte(start + at) else { return false }
            at += 1
        }
        return true
    }

    func byte(_ index: Int) -> UInt8 { UInt8(truncatingIfNeeded: word(index >> 3) >> UInt64(8 * (index & 7))) }
}
