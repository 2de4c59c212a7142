/// What a relay tells its guardian: 32 bytes, little-endian, a descriptor beside some.
///
/// | offset | bytes | |
/// |---|---|---|
/// | 0 | 4 | kind |
/// | 4 | 4 | number: of an address space |
/// | 8 | 8 | where config space begins in the device's file |
/// | 16 | 16 | name: printable ASCII, then zeros |
public enum GuardianMessage: Equatable, Sendable {
    /// A function's own file comes along.
    case device(configOffset: UInt64, name: String)
    /// A type 1 container comes along.
    case container(name: String)
    /// The context of /dev/iommu comes along: one a relay.
    case iommufd
    /// An IOAS of the context, in which something may be mapped from now on.
    case spaceMade(UInt32)
    case spaceGone(UInt32)
    /// The relay ends as it was asked to, and has reset its devices.
    case goodbye
    /// A ``DeathNotice`` of the relay's thread comes along.
    case deathNotice

    public static let byteCount = 32
    /// A PCI address with a domain of 32 bits has 16 characters.
    public static let nameByteCount = 16

    public var carriesDescriptor: Bool {
        switch self {
        case .device, .container, .iommufd, .deathNotice: true
        case .spaceMade, .spaceGone, .goodbye: false
        }
    }

    /// All of the 32 bytes. Of a name the first 16 are sent.
    public var bytes: [UInt8] {
        var (kind, number, offset, text) = (UInt32(0), UInt32(0), UInt64(0), "")
        switch self {
        case .device(let configOffset, let name): (kind, offset, text) = (1, configOffset, name)
        case .container(let name): (kind, text) = (2, name)
        case .iommufd: kind = 3
        case .spaceMade(let id): (kind, number) = (4, id)
        case .spaceGone(let id): (kind, number) = (5, id)
        case .goodbye: kind = 6
        case .deathNotice: kind = 7
        }
        let name = Array(text.utf8.prefix(Self.nameByteCount))
        return Self.littleEndian(kind) + Self.littleEndian(number) + Self.littleEndian(offset) + name
            + [UInt8](repeating: 0, count: Self.nameByteCount - name.count)
    }

    private static func littleEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        (0..<Value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> Value(8 * $0)) }
    }

    public static func parse(_ bytes: [UInt8]) throws(GuardianError) -> GuardianMessage {
        guard bytes.count == byteCount else { throw .wrongLength(bytes.count) }
        let message = try read(bytes)
        // What a message has no use for is zero.
        guard message.bytes == bytes else { throw .strayBytes }
        return message
    }

    private static func read(_ bytes: [UInt8]) throws(GuardianError) -> GuardianMessage {
        func field(_ range: Range<Int>) -> UInt64 { bytes[range].reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        let number = UInt32(truncatingIfNeeded: field(4..<8))
        switch field(0..<4) {
        case 1: return .device(configOffset: field(8..<16), name: try name(bytes[16...]))
        case 2: return .container(name: try name(bytes[16...]))
        case 3: return .iommufd
        case 4: return .spaceMade(number)
        case 5: return .spaceGone(number)
        case 6: return .goodbye
        case 7: return .deathNotice
        case let kind: throw .unknownKind(UInt32(truncatingIfNeeded: kind))
        }
    }

    private static func name(_ bytes: ArraySlice<UInt8>) throws(GuardianError) -> String {
        let text = bytes.prefix { $0 != 0 }
        guard !text.isEmpty, text.allSatisfy({ (0x20..<0x7f).contains($0) }) else { throw .badName }
        return String(decoding: text, as: UTF8.self)
    }
}

/// Why a guardian does not understand its relay. It then quiets what it has: it cannot know what it misses.
public enum GuardianError: Error, Equatable, Sendable, CustomStringConvertible {
    case wrongLength(Int)
    case unknownKind(UInt32)
    case badName
    case strayBytes
    case noDescriptor
    case strayDescriptor
    case secondContext
    case noContext
    case tooMany
    case badNotice(String)
    case receive(String)

    public var description: String {
        switch self {
        case .wrongLength(let count): "a message of \(count) bytes instead of \(GuardianMessage.byteCount)"
        case .unknownKind(let kind): "a message of the unknown kind \(kind)"
        case .badName: "a name that is no printable text"
        case .strayBytes: "a message with something in fields that it has no use for"
        case .noDescriptor: "a message came without its descriptor"
        case .strayDescriptor: "a descriptor came that belongs to no message"
        case .secondContext: "a second context of /dev/iommu"
        case .noContext: "an address space without a context of /dev/iommu"
        case .tooMany: "more than a relay can have"
        case .badNotice(let reason): "a death notice that is none: \(reason)"
        case .receive(let reason): "its socket failed: \(reason)"
        }
    }
}
