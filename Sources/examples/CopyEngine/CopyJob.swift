public import DeviceMemory

/// A job in the ring, 32 bytes, little-endian.
///
///     0  source    8  target    16  byteCount    20  flags, bit 0: interrupt    24  outcome    28  zero
public struct CopyJob: Sendable {
    public static var byteCount: Int { 32 }
    /// The longest copy: what the engine's own memory holds, and what it can be kept busy with.
    public static var maximumByteCount: UInt32 { 1 << 16 }

    public enum Outcome: UInt32, Sendable {
        /// The driver writes this.
        case pending = 0
        case done = 1
        /// Memory that is not mapped, or may not be read or written; a part may have been copied.
        case fault = 2
        /// More bytes than ``maximumByteCount``.
        case tooLong = 3
    }

    public let source: IOVA
    public let target: IOVA
    public let copiedByteCount: UInt32
    public let wantsInterrupt: Bool

    public init(source: IOVA, target: IOVA, byteCount: UInt32, wantsInterrupt: Bool) {
        self.source = source
        self.target = target
        copiedByteCount = byteCount
        self.wantsInterrupt = wantsInterrupt
    }

    /// The driver's side.
    public func store(in ring: MemoryWindow, at offset: Int) {
        ring.store64(source.rawValue, at: offset)
        ring.store64(target.rawValue, at: offset + 8)
        ring.store32(copiedByteCount, at: offset + 16)
        ring.store32(wantsInterrupt ? 1 : 0, at: offset + 20)
        ring.store64(0, at: offset + 24)
    }

    /// Each field is read once.
    init(_ ring: MemoryWindow) {
        source = IOVA(ring.load64(at: 0))
        target = IOVA(ring.load64(at: 8))
        copiedByteCount = ring.load32(at: 16)
        wantsInterrupt = ring.load32(at: 20) & 1 != 0
    }

    static func finish(_ ring: MemoryWindow, _ outcome: Outcome) { ring.storeRelease32(outcome.rawValue, at: 24) }

    /// Both ranges may span mappings; whatever is wrong with them is an outcome.
    func run(_ memory: DMASpace, through staging: MemoryWindow) -> Outcome {
        guard copiedByteCount <= Self.maximumByteCount else { return .tooLong }
        let count = Int(copiedByteCount)
        guard memory.read(source, byteCount: count, to: staging, at: 0),
            memory.write(target, byteCount: count, from: staging, at: 0)
        else { return .fault }
        return .done
    }
}
