import DeviceMemory
import NicRegisters

/// One ring's registers, read once at the start of a step and judged. The driver may write any of them at any time.
struct E1000ERing {
    let base: UInt64
    /// Descriptors: at least one.
    let count: UInt32
    /// Both below `count`.
    var head: UInt32
    let tail: UInt32
    /// All descriptors, if one mapping holds them.
    private let whole: MemoryWindow?

    enum Reading { case empty, impossible, ring(E1000ERing) }

    /// Descriptors that the driver gave and that are not used yet.
    @inline(__always) var available: UInt32 { tail >= head ? tail &- head : count &- head &+ tail }

    @inline(__always)
    mutating func advance() { head = head &+ 1 == count ? 0 : head &+ 1 }

    @inline(__always) var headAddress: UInt64 { base &+ UInt64(head) &* UInt64(E1000E.descriptorByteCount) }

    /// The descriptor at head; nil where the device may not read and write.
    @inline(__always)
    func headDescriptor(_ dma: DMASpace) -> MemoryWindow? {
        if let whole {
            return whole.slice(at: Int(head) &* E1000E.descriptorByteCount, byteCount: E1000E.descriptorByteCount)
        }
        return dma.translate(IOVA(headAddress), byteCount: E1000E.descriptorByteCount, access: .readWrite)
    }

    typealias Row = Register<UInt32, ReadWrite>

    /// Looks at head and tail first, so that an empty ring costs two loads.
    @inline(__always)
    static func read(
        _ shared: E1000ESharedRegisters, dma: DMASpace, head headRow: Row, tail tailRow: Row, length: Row, low: Row, high: Row
    ) -> Reading {
        let tail = shared.load32(at: tailRow.offset) & 0xffff
        let head = shared.load32(at: headRow.offset) & 0xffff
        guard head != tail else { return .empty }
        let byteCount = shared.load32(at: length.offset) & E1000E.ringLengthMask
        let count = byteCount / UInt32(E1000E.descriptorByteCount)
        guard head < count, tail < count else { return .impossible }
        let base =
            UInt64(shared.load32(at: low.offset) & E1000E.ringBaseLowMask) | UInt64(shared.load32(at: high.offset)) << 32
        // The last descriptor has to end below 2^64: later sums cannot wrap.
        guard !base.addingReportingOverflow(UInt64(byteCount)).overflow else { return .impossible }
        DeviceBarrier.observeFromDevice()
        let whole = dma.translate(IOVA(base), byteCount: Int(byteCount), access: .readWrite)
        return .ring(E1000ERing(base: base, count: count, head: head, tail: tail, whole: whole))
    }
}

/// A transmit ring whose head could not be reached, as it was then. Until the driver or its IOMMU changes something it would be the
/// same again: hardware asks once, and a model that asked at each step would make a storm of faults.
struct E1000EStall: Equatable {
    private let registers: InlineArray<5, UInt32>
    private let changes: UInt64

    typealias Row = E1000ERing.Row

    init(_ shared: E1000ESharedRegisters, dma: DMASpace, head: Row, tail: Row, length: Row, low: Row, high: Row) {
        registers = [
            shared.load32(at: head.offset), shared.load32(at: tail.offset), shared.load32(at: length.offset),
            shared.load32(at: low.offset), shared.load32(at: high.offset),
        ]
        changes = dma.changes
    }

    static func == (a: E1000EStall, b: E1000EStall) -> Bool {
        a.changes == b.changes && a.registers.indices.allSatisfy { a.registers[$0] == b.registers[$0] }
    }
}
