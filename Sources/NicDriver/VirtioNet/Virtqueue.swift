import DeviceMemory
import NicRegisters

/// Where the three parts of a virtqueue lie in a piece of memory. Each part begins on a cache line of its own.
struct VirtqueueLayout {
    /// Descriptors, a power of two.
    let size: Int
    let isPacked: Bool

    var driverOffset: Int { VirtqueueLayout.aligned(Virtio.SplitRing.descriptorsByteCount(size: size)) }
    var driverByteCount: Int { isPacked ? Virtio.PackedRing.eventByteCount : Virtio.SplitRing.availableByteCount(size: size) }
    /// Of a split ring four bytes behind a line's start, so that its 8-byte elements, which follow two 16-bit fields, are
    /// aligned; the specification asks for 4.
    var deviceOffset: Int { VirtqueueLayout.aligned(driverOffset + driverByteCount) + (isPacked ? 0 : 4) }
    var deviceByteCount: Int { isPacked ? Virtio.PackedRing.eventByteCount : Virtio.SplitRing.usedByteCount(size: size) }
    var byteCount: Int { VirtqueueLayout.aligned(deviceOffset + deviceByteCount) }

    private static func aligned(_ offset: Int) -> Int { (offset + 63) & ~63 }
}

/// A virtqueue's memory, zeroed, as this program and as the device see it.
struct VirtqueueArea {
    let layout: VirtqueueLayout
    let window: MemoryWindow
    let iova: UInt64

    var descriptors: MemoryWindow { window.slice(at: 0, byteCount: layout.size * 16) }
    var driverArea: MemoryWindow { window.slice(at: layout.driverOffset, byteCount: layout.driverByteCount) }
    var deviceArea: MemoryWindow { window.slice(at: layout.deviceOffset, byteCount: layout.deviceByteCount) }

    var descriptorIOVA: UInt64 { iova }
    var driverIOVA: UInt64 { iova + UInt64(layout.driverOffset) }
    var deviceIOVA: UInt64 { iova + UInt64(layout.deviceOffset) }
}

/// What a device did to a ring that no device may do: the queue is not touched any more.
enum VirtioRingViolation: Equatable, CustomStringConvertible {
    /// More buffers used than it was given.
    case usedIndex(from: UInt16, to: UInt16, outstanding: Int)
    /// A buffer that is not in the ring.
    case badID(UInt32)
    /// A buffer that the device does not have, or not any more.
    case foreignID(UInt32)
    /// A frame over more buffers than the ring has.
    case spread(buffers: Int)

    var description: String {
        switch self {
        case .usedIndex(let from, let to, let outstanding):
            "its used index went from \(from) to \(to) while it had \(outstanding) buffers"
        case .badID(let id): "it used buffer \(id), which is beyond the ring"
        case .foreignID(let id): "it used buffer \(id), which it does not have"
        case .spread(let buffers): "it spread a frame over \(buffers) buffers, more than the ring has"
        }
    }
}

/// What both ring formats are to a queue pair.
protocol VirtioReceiveQueue: ~Copyable {
    init(_ area: VirtqueueArea, usesEventIndex: Bool, judge: VirtioFrameJudge, notifier: VirtioNotifier)
    var violation: VirtioRingViolation? { get }
    var counters: ReceiveCounters { get }
    var hasReceived: Bool { get }
    mutating func receive(into batch: inout PacketBatch) -> Int
    func armInterrupt()
    func disarmInterrupt()
    /// The device is ready: it may use what the ring holds.
    func start()
    /// Frames that the device has put into the ring and nobody has taken.
    var readyCount: Int { get }
    /// Counts on from where another queue has ended.
    mutating func keepCounters(of old: borrowing Self)
    /// Gives every buffer of the ring back to the pool. Only after the device has stopped.
    mutating func takeBackBuffers()
}

protocol VirtioTransmitQueue: ~Copyable {
    init(_ area: VirtqueueArea, usesEventIndex: Bool, preparation: VirtioFramePreparation, notifier: VirtioNotifier)
    var violation: VirtioRingViolation? { get }
    var counters: TransmitCounters { get }
    /// Frames that the device has not given back.
    var inFlight: Int { get }
    mutating func send(_ batch: inout PacketBatch) -> Int
    mutating func reclaim()
    mutating func keepCounters(of old: borrowing Self)
    mutating func takeBackBuffers()
}

/// How a queue tells the device of new buffers: the queue's number, written to its address.
struct VirtioNotifier {
    let doorbell: Doorbell16
    let queue: UInt16

    @inline(__always) func notify() { doorbell.ring(queue) }
}
