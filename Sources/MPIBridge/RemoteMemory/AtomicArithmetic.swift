/// A number that atomic accesses work on.
private protocol AtomicNumber: Comparable {
    init(bits: UInt64)
    /// The upper ones are zero.
    var bits: UInt64 { get }
    init(truth: Bool)
    var isTrue: Bool { get }
    func plus(_ other: Self) -> Self
    func times(_ other: Self) -> Self
}

extension AtomicNumber where Self: FixedWidthInteger {
    init(bits: UInt64) { self.init(truncatingIfNeeded: bits) }
    var bits: UInt64 { UInt64(truncatingIfNeeded: self) & (.max >> UInt64(64 - Self.bitWidth)) }
    init(truth: Bool) { self = truth ? 1 : 0 }
    var isTrue: Bool { self != 0 }
    // As C's unsigned numbers do; a peer's numbers trap nothing.
    func plus(_ other: Self) -> Self { self &+ other }
    func times(_ other: Self) -> Self { self &* other }
}

extension Int8: AtomicNumber {}
extension UInt8: AtomicNumber {}
extension Int16: AtomicNumber {}
extension UInt16: AtomicNumber {}
extension Int32: AtomicNumber {}
extension UInt32: AtomicNumber {}
extension Int64: AtomicNumber {}
extension UInt64: AtomicNumber {}

extension Float: AtomicNumber {
    fileprivate init(bits: UInt64) { self.init(bitPattern: UInt32(truncatingIfNeeded: bits)) }
    fileprivate var bits: UInt64 { UInt64(bitPattern) }
    fileprivate init(truth: Bool) { self = truth ? 1 : 0 }
    fileprivate var isTrue: Bool { self != 0 }
    fileprivate func plus(_ other: Float) -> Float { self + other }
    fileprivate func times(_ other: Float) -> Float { self * other }
}

extension Double: AtomicNumber {
    fileprivate init(bits: UInt64) { self.init(bitPattern: bits) }
    fileprivate var bits: UInt64 { bitPattern }
    fileprivate init(truth: Bool) { self = truth ? 1 : 0 }
    fileprivate var isTrue: Bool { self != 0 }
    fileprivate func plus(_ other: Double) -> Double { self + other }
    fileprivate func times(_ other: Double) -> Double { self * other }
}

extension AtomicAccess {
    /// The target's next value; all numbers as their bits. fi_atomic(3), "Atomic Operations".
    func combine(_ old: UInt64, _ operand: UInt64, _ comparand: UInt64) -> UInt64 {
        switch type {
        case .int8: combine(Int8.self, old, operand, comparand)
        case .uint8: combine(UInt8.self, old, operand, comparand)
        case .int16: combine(Int16.self, old, operand, comparand)
        case .uint16: combine(UInt16.self, old, operand, comparand)
        case .int32: combine(Int32.self, old, operand, comparand)
        case .uint32: combine(UInt32.self, old, operand, comparand)
        case .int64: combine(Int64.self, old, operand, comparand)
        case .uint64: combine(UInt64.self, old, operand, comparand)
        case .float: combine(Float.self, old, operand, comparand)
        case .double: combine(Double.self, old, operand, comparand)
        }
    }

    private func combine<Number: AtomicNumber>(_: Number.Type, _ oldBits: UInt64, _ newBits: UInt64, _ mask: UInt64) -> UInt64 {
        let old = Number(bits: oldBits), new = Number(bits: newBits)
        // A comparison with what is no number is false, as in C.
        func swap(_ isWanted: Bool) -> UInt64 { isWanted ? newBits : oldBits }
        switch operation {
        case .minimum: return swap(new < old)
        case .maximum: return swap(new > old)
        case .sum: return old.plus(new).bits
        case .product: return old.times(new).bits
        case .logicalOr: return Number(truth: old.isTrue || new.isTrue).bits
        case .logicalAnd: return Number(truth: old.isTrue && new.isTrue).bits
        case .logicalXor: return Number(truth: old.isTrue != new.isTrue).bits
        case .bitwiseOr: return oldBits | newBits
        case .bitwiseAnd: return oldBits & newBits
        case .bitwiseXor: return oldBits ^ newBits
        case .read: return oldBits
        case .write: return newBits
        case .swapIfEqual: return swap(Number(bits: mask) == old)
        case .swapIfNotEqual: return swap(Number(bits: mask) != old)
        case .swapIfLessOrEqual: return swap(Number(bits: mask) <= old)
        case .swapIfLess: return swap(Number(bits: mask) < old)
        case .swapIfGreaterOrEqual: return swap(Number(bits: mask) >= old)
        case .swapIfGreater: return swap(Number(bits: mask) > old)
        case .swapMasked: return newBits & mask | oldBits & ~mask
        }
    }
}
