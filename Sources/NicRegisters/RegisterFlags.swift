/// A register of flags, perhaps with multi-bit fields between them.
///
/// `namedFlags` and `namedFields` list every flag and field once: a test holds them disjoint, a dump prints them.
public protocol RegisterFlags: OptionSet, RegisterValue where RawValue == UInt32, Element == Self {
    static var namedFlags: [(name: String, flag: Self)] { get }
    static var namedFields: [(name: String, field: BitField)] { get }
}

extension RegisterFlags {
    @inlinable public init(bits: UInt32) { self.init(rawValue: bits) }
    @inlinable public var bits: UInt32 { rawValue }

    public static var namedFields: [(name: String, field: BitField)] { [] }

    /// Flags that are set and fields that are not zero, for people: `FD SLU SPEED=2`.
    public var summary: String {
        var words = Self.namedFlags.filter { isSuperset(of: $0.flag) }.map(\.name)
        for (name, field) in Self.namedFields where field.extract(bits) != 0 {
            words.append("\(name)=\(field.extract(bits))")
        }
        return words.joined(separator: " ")
    }
}
