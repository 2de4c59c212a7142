/// A 16-byte descriptor as two 64-bit words.
///
/// In memory both words are little-endian, `word0` first. Each side loads a descriptor's words once into such a value,
/// judges the value, and never looks at the memory again for the same descriptor.
public protocol Descriptor: BitwiseCopyable, Sendable, Equatable {
    var word0: UInt64 { get }
    var word1: UInt64 { get }
    init(word0: UInt64, word1: UInt64)
}

extension Descriptor {
    /// The descriptor of 16 bytes, in memory order; nil for any other number of bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        for index in 0..<8 {
            words.0 |= UInt64(bytes[index]) &<< UInt64(8 &* index)
            words.1 |= UInt64(bytes[index &+ 8]) &<< UInt64(8 &* index)
        }
        self.init(word0: words.0, word1: words.1)
    }

    /// The descriptor's 16 bytes, in memory order.
    public var bytes: [UInt8] {
        (0..<16).map { index in
            let word = index < 8 ? word0 : word1
            return UInt8(truncatingIfNeeded: word &>> UInt64(8 &* (index & 7)))
        }
    }
}

extension UInt64 {
    /// `width` bits from bit `shift` up.
    @inlinable
    func bits(_ shift: UInt64, _ width: UInt64) -> UInt64 { (self &>> shift) & ((1 &<< width) &- 1) }

    /// The same word with `width` bits from bit `shift` up replaced; what does not fit is cut off.
    @inlinable
    func replacing(_ shift: UInt64, _ width: UInt64, with value: UInt64) -> UInt64 {
        let mask: UInt64 = ((1 &<< width) &- 1) &<< shift
        return (self & ~mask) | ((value &<< shift) & mask)
    }
}
