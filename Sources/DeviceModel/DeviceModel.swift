/// A PCI function in software. No socket, no thread, no file: whoever hosts it (the soft backend in a driver's process,
/// a vfio-user server) gives it a ``DeviceEnvironment`` and calls it from one thread.
///
/// Everything that arrives by these calls, and everything in mapped regions and in DMA memory, was written by a hostile
/// guest: read once, judge, use. Nothing here may trap on it.
public protocol DeviceModel: ~Copyable {
    /// What the function looks like; constant for the model's life.
    var function: FunctionDescription { get }

    /// A trapped read of a BAR, 1, 2, 4 or 8 bytes; inside the BAR's size, any alignment. Unknown offsets read as zero.
    mutating func readRegion(_ bar: Int, at offset: UInt64, byteCount: Int) -> UInt64
    mutating func writeRegion(_ bar: Int, at offset: UInt64, _ value: UInt64, byteCount: Int)

    /// Config space was written by the driver (bytes are already in the environment's config space).
    mutating func configWritten(at offset: Int, byteCount: Int)

    /// Config space is about to be read by the driver: what changes without a write is put into the environment's now.
    mutating func configWillBeRead(at offset: Int, byteCount: Int)

    /// Back to power-on: no DMA and no interrupt until the driver sets it up again.
    mutating func reset()

    /// Does the work that is there: doorbells in mapped memory, frames on the wire, timers.
    /// - Returns: whether there was any.
    mutating func progress() -> Bool

    /// A queue is enabled: doorbells in mapped memory have to be looked at.
    var wantsPolling: Bool { get }

    /// Asks to be woken through a descriptor that becomes readable when something arrives from outside; nil if nothing can.
    mutating func armWake() -> Int32?
    mutating func disarmWake()

    /// Whether ``saveState()`` and ``loadState(_:)`` work: then the function can go on in another process.
    var canBeSaved: Bool { get }
    /// All that the function needs to go on elsewhere; called while nobody steps it. nil: not now.
    func saveState() -> [UInt8]?
    /// Takes over what ``saveState()`` gave. False, with nothing changed: these bytes are none of its own.
    mutating func loadState(_ bytes: [UInt8]) -> Bool
}

extension DeviceModel where Self: ~Copyable {
    /// Most functions' config space changes by writes and resets alone.
    public mutating func configWillBeRead(at offset: Int, byteCount: Int) {}

    public var canBeSaved: Bool { false }
    public func saveState() -> [UInt8]? { nil }
    public mutating func loadState(_ bytes: [UInt8]) -> Bool { false }
}

/// What a host of models needs to know of a function to present it.
public struct FunctionDescription: Sendable {
    /// Config space at power-on: 256 bytes, or 4096 of a PCI Express function.
    public var config: [UInt8]
    /// For each byte of `config`, which bits the driver may write.
    public var writableConfigBits: [UInt8]
    /// BARs 0…5; nil where there is none.
    public var bars: [BARDescription?]
    public var msixVectorCount: Int
    public var msiVectorCount: Int
    public var hasINTx: Bool

    public init(
        config: [UInt8], writableConfigBits: [UInt8], bars: [BARDescription?], msixVectorCount: Int, msiVectorCount: Int, hasINTx: Bool
    ) {
        self.config = config
        self.writableConfigBits = writableConfigBits
        self.bars = bars
        self.msixVectorCount = msixVectorCount
        self.msiVectorCount = msiVectorCount
        self.hasINTx = hasINTx
    }
}

/// One BAR: trapped, but for the parts that are plain memory which the driver maps.
public struct BARDescription: Sendable {
    /// A power of two.
    public var byteCount: UInt64
    public var isIO: Bool
    /// Whole pages of 4096 bytes.
    public var memoryAreas: [Range<UInt64>]
    /// Offsets of registers whose writes say nothing but "look": a host may do with a wake-up instead.
    public var notifyRegisters: [UInt64]

    public init(byteCount: UInt64, isIO: Bool = false, memoryAreas: [Range<UInt64>] = [], notifyRegisters: [UInt64] = []) {
        self.byteCount = byteCount
        self.isIO = isIO
        self.memoryAreas = memoryAreas
        self.notifyRegisters = notifyRegisters
    }
}
