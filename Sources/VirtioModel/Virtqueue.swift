public import DeviceMemory
public import NicRegisters

/// Why a queue was stopped: something in its memory that no driver may write there, or that is not there at all.
@frozen public enum VirtqueueViolation: UInt8, Sendable, CaseIterable, BitwiseCopyable {
    /// Size, addresses or alignment of its parts.
    case layout
    /// A part, an indirect table or a buffer that the device may not reach.
    case unreachable
    /// More buffers than the queue has descriptors.
    case availableIndex
    /// A descriptor's number beyond the table.
    case descriptorIndex
    /// A chain longer than the queue: a loop, perhaps.
    case chainLength
    /// Readable parts behind writable ones, an indirect table in the wrong place or of no length.
    case chainOrder
    /// No room for the header, or for the answer.
    case tooSmall
}

/// Where one side stands in a ring. Split: `index` runs freely. Packed: `index` is a place, `wrap` the round's counter.
@frozen public struct RingCursor: BitwiseCopyable, Equatable, Sendable {
    public var index: UInt16
    public var wrap: Bool

    @inlinable public init() {
        index = 0
        wrap = true
    }

    /// Of a packed ring.
    @inlinable @inline(__always) public mutating func advance(by slots: UInt16, size: UInt16) {
        let next = UInt32(index) &+ UInt32(slots)
        if next >= UInt32(size) {
            index = UInt16(truncatingIfNeeded: next &- UInt32(size))
            wrap.toggle()
        } else {
            index = UInt16(truncatingIfNeeded: next)
        }
    }
}

/// A buffer that the driver made available: its first descriptor, read once.
@frozen public struct AvailableBuffer: BitwiseCopyable, Sendable {
    public var address: UInt64
    public var byteCount: UInt32
    public var flags: Virtio.DescriptorFlags
    /// Split: where the chain goes on.
    public var next: UInt16
    /// What the driver knows it by. Packed: that of the last descriptor of its chain.
    public var id: UInt16
    /// Descriptors of the ring that it takes, its chain's too once that was followed.
    public var slots: UInt16

    @inlinable @inline(__always) init(
        address: UInt64, byteCount: UInt32, flags: Virtio.DescriptorFlags, next: UInt16, id: UInt16
    ) {
        self.address = address
        self.byteCount = byteCount
        self.flags = flags
        self.next = next
        self.id = id
        slots = 1
    }

    /// One piece of memory that the device reads.
    @inlinable @inline(__always) public var isPlainReadable: Bool { flags.isDisjoint(with: [.next, .indirect, .write]) }
    /// One piece of memory that the device writes.
    @inlinable @inline(__always) public var isPlainWritable: Bool { flags.intersection([.next, .indirect, .write]) == .write }
}

/// One virtqueue as the device has it: what the driver configured, and where it stands. A value: a step works on a copy.
/// Everything in the ring's memory is the driver's to change at any time: each word is read once.
@frozen public struct Virtqueue: BitwiseCopyable, Sendable {
    // What the driver wrote.
    public var size: UInt16
    public var vector = Virtio.noVector
    public var descriptorArea: UInt64 = 0
    public var driverArea: UInt64 = 0
    public var deviceArea: UInt64 = 0
    public var isEnabled = false

    // Where the device stands.
    public private(set) var parts: Parts?
    @usableFromInline var reason: VirtqueueViolation?
    public private(set) var isPacked = false
    public private(set) var usesEventIndex = false
    public var available = RingCursor()
    /// Moved by Virtqueue+Used.swift.
    @usableFromInline var used = RingCursor()
    /// Entries (packed: descriptors) used since it was last asked whether to interrupt.
    @usableFromInline var unsignalled: UInt16 = 0

    /// The three parts in memory, as long as nothing was unmapped.
    @frozen public struct Parts: BitwiseCopyable, Sendable {
        @usableFromInline let descriptors: MemoryWindow
        @usableFromInline let driver: MemoryWindow
        @usableFromInline let device: MemoryWindow
        /// Used elements lie on multiples of 8: one store each.
        @usableFromInline let hasAlignedElements: Bool
    }

    public init(size: UInt16) { self.size = size }

    /// It may be worked on.
    @inlinable @inline(__always) public var isReady: Bool { parts != nil && violation == nil }

    /// Why it was stopped.
    @inlinable @inline(__always) public var violation: VirtqueueViolation? { reason }

    /// Stops it for good, until a reset. The first reason stays.
    @inlinable public mutating func stop(_ violation: VirtqueueViolation) {
        if reason == nil { reason = violation }
    }

    // MARK: Start

    /// Starts it empty. "Split Virtqueues", "Packed Virtqueues": sizes and alignments.
    public mutating func start(isPacked: Bool, usesEventIndex: Bool, dma: DMASpace) {
        self.isPacked = isPacked
        self.usesEventIndex = usesEventIndex
        available = RingCursor()
        used = RingCursor()
        unsignalled = 0
        reason = nil
        open(dma)
        if isReady { setNotifications(true) }
    }

    /// Looks the parts up again, after something was unmapped.
    public mutating func open(_ dma: DMASpace) {
        parts = nil
        let count = Int(size)
        let lengths: (Int, Int, Int)
        let alignments: (UInt64, UInt64, UInt64)
        if isPacked {
            lengths = (16 &* count, Virtio.PackedRing.eventByteCount, Virtio.PackedRing.eventByteCount)
            alignments = (Virtio.PackedRing.descriptorAlignment, Virtio.PackedRing.eventAlignment, Virtio.PackedRing.eventAlignment)
        } else {
            lengths = (16 &* count, Virtio.SplitRing.availableByteCount(size: count), Virtio.SplitRing.usedByteCount(size: count))
            alignments = (Virtio.SplitRing.descriptorAlignment, Virtio.SplitRing.availableAlignment, Virtio.SplitRing.usedAlignment)
        }
        guard count > 0, isPacked || count & (count &- 1) == 0, descriptorArea & (alignments.0 &- 1) == 0,
            driverArea & (alignments.1 &- 1) == 0, deviceArea & (alignments.2 &- 1) == 0
        else { return stop(.layout) }
        guard let descriptors = dma.window(IOVA(descriptorArea), byteCount: lengths.0, access: isPacked ? .readWrite : .read),
            let driver = dma.window(IOVA(driverArea), byteCount: lengths.1, access: .read),
            let device = dma.window(IOVA(deviceArea), byteCount: lengths.2, access: .readWrite)
        else { return stop(.unreachable) }
        parts = Parts(
            descriptors: descriptors, driver: driver, device: device,
            hasAlignedElements: deviceArea &+ UInt64(Virtio.SplitRing.usedEntries) & 7 == 0)
    }

    // MARK: Taking

    /// What a step may take: read once at its start. Packed: nothing is known beforehand.
    @frozen public struct Limit: BitwiseCopyable, Sendable {
        /// Split: the available index.
        @usableFromInline var index: UInt16
        @inlinable init(index: UInt16 = 0) { self.index = index }
    }

    /// nil: there is nothing.
    @inlinable @inline(__always) public mutating func look() -> Limit? {
        guard let parts, violation == nil else { return nil }
        if isPacked {
            let word = parts.descriptors.load64(at: Int(available.index) &* 16 &+ 8)
            return Virtio.PackedDescriptor(word0: 0, word1: word).isAvailable(wrap: available.wrap) ? Limit() : nil
        }
        let index = parts.driver.load16(at: Virtio.SplitRing.availableIndex)
        let count = index &- available.index
        if count == 0 { return nil }
        guard count <= size else {
            stop(.availableIndex)
            return nil
        }
        DeviceBarrier.observeFromDevice()
        return Limit(index: index)
    }

    /// The buffer at `cursor`, which moves on; nil: there is none, or the queue was stopped. It stays available until it is used.
    @inlinable @inline(__always) public mutating func take(_ cursor: inout RingCursor, _ limit: Limit) -> AvailableBuffer? {
        guard let parts else { return nil }
        if isPacked { return takePacked(&cursor, parts) }
        guard cursor.index != limit.index else { return nil }
        let mask = Int(size) &- 1
        let head = parts.driver.load16(at: Virtio.SplitRing.availableEntries &+ 2 &* (Int(cursor.index) & mask))
        guard let descriptor = splitDescriptor(head, parts) else { return nil }
        cursor.index &+= 1
        return AvailableBuffer(
            address: descriptor.address, byteCount: descriptor.byteCount, flags: descriptor.flags, next: descriptor.next, id: head)
    }

    @inlinable @inline(__always) mutating func takePacked(_ cursor: inout RingCursor, _ parts: Parts) -> AvailableBuffer? {
        let probe = Virtio.PackedDescriptor(word0: 0, word1: parts.descriptors.load64(at: Int(cursor.index) &* 16 &+ 8))
        guard probe.isAvailable(wrap: cursor.wrap) else { return nil }
        // The rest of the descriptor is read after its flags were seen.
        DeviceBarrier.observeFromDevice()
        let descriptor = packedDescriptor(&cursor, parts)
        return AvailableBuffer(
            address: descriptor.address, byteCount: descriptor.byteCount, flags: descriptor.flags, next: 0, id: descriptor.id)
    }

    @inlinable @inline(__always) func packedDescriptor(_ cursor: inout RingCursor, _ parts: Parts) -> Virtio.PackedDescriptor {
        let at = Int(cursor.index) &* 16
        cursor.advance(by: 1, size: size)
        return Virtio.PackedDescriptor(word0: parts.descriptors.load64(at: at), word1: parts.descriptors.load64(at: at &+ 8))
    }

    /// nil, and the queue stopped: there is no such descriptor.
    @inlinable @inline(__always) mutating func splitDescriptor(_ number: UInt16, _ parts: Parts) -> Virtio.SplitDescriptor? {
        guard number < size else {
            stop(.descriptorIndex)
            return nil
        }
        let at = Int(number) &* 16
        return Virtio.SplitDescriptor(word0: parts.descriptors.load64(at: at), word1: parts.descriptors.load64(at: at &+ 8))
    }
}
