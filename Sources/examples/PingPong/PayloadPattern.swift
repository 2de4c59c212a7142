public import DeviceMemory

/// The bytes behind the header: a sequence that depends on seed, sequence number and place, so that a stale, shifted or
/// cut payload differs. Words are little-endian.
public struct PayloadPattern: Equatable, Sendable {
    private let first: UInt64
    /// Odd, so that no two words of a frame are equal.
    private static let step: UInt64 = 0x9E37_79B9_7F4A_7C15

    public init(seed: UInt64, sequence: UInt64) {
        var mixed = seed ^ sequence &* 0xD6E8_FEB8_6659_FD93
        mixed ^= mixed >> 32
        first = mixed &* 0xD6E8_FEB8_6659_FD93
    }

    /// Fills the bytes from `start` to `end` of a buffer.
    public func fill(_ window: MemoryWindow, from start: Int, to end: Int) {
        var word = first
        var at = start
        while at &+ 8 <= end {
            window.store64(word, at: at)
            word = word &+ Self.step
            at &+= 8
        }
        while at < end {
            window.store8(UInt8(truncatingIfNeeded: word), at: at)
            word >>= 8
            at &+= 1
        }
    }

    /// Whether the bytes from `start` to `end` are this pattern. Each byte is read once.
    public func matches(_ window: MemoryWindow, from start: Int, to end: Int) -> Bool {
        guard start >= 0, start <= end, end <= window.byteCount else { return false }
        var word = first
        var at = start
        while at &+ 8 <= end {
            if window.load64(at: at) != word { return false }
            word = word &+ Self.step
            at &+= 8
        }
        while at < end {
            if window.load8(at: at) != UInt8(truncatingIfNeeded: word) { return false }
            word >>= 8
            at &+= 1
        }
        return true
    }
}
