import CLinuxShims

extension MemoryWindow {
    /// The one's complement sum of RFC 1071 over a part, of 16-bit words in memory's byte order (§2 B: the order changes nothing but
    /// the result's), folded to 16 bits. An odd last byte is the first of a word whose second is zero.
    ///
    /// Plain loads, unlike the others of a window: who changes the bytes meanwhile gets a sum of some of both.
    /// - Parameter start: a sum to go on from.
    public func onesComplementSum(at offset: Int, byteCount count: Int, startingWith start: UInt64 = 0) -> UInt16 {
        check(offset, count)
        // SAFETY: the range was checked; whoever made the window keeps the memory alive.
        return Self.fold(start, unsafe unic_sum(base + offset, count))
    }

    /// ``copy(at:byteCount:to:at:)``, with the sum of the bytes that were copied, as ``onesComplementSum(at:byteCount:startingWith:)``
    /// gives it. Each byte is read once: the sum is that of the copy, whoever changes the original meanwhile.
    public func copySumming(at offset: Int, byteCount count: Int, to target: MemoryWindow, at targetOffset: Int) -> UInt16 {
        check(offset, count)
        target.check(targetOffset, count)
        // SAFETY: both ranges were checked.
        return Self.fold(0, unsafe unic_copy_sum(target.base + targetOffset, base + offset, count))
    }

    @inline(__always) private static func fold(_ first: UInt64, _ second: UInt64) -> UInt16 {
        var sum = half(first) &+ half(second)
        sum = (sum & 0xffff) &+ (sum >> 16 & 0xffff) &+ (sum >> 32)
        sum = (sum & 0xffff) &+ (sum >> 16)
        return UInt16(truncatingIfNeeded: (sum & 0xffff) &+ (sum >> 16))
    }

    @inline(__always) private static func half(_ sum: UInt64) -> UInt64 { (sum & 0xffff_ffff) &+ (sum >> 32) }
}
