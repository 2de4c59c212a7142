import DeviceMemory
import NicRegisters

/// The parts of a split virtqueue as the driver sees them (virtio 1.2 "Split Virtqueues"): descriptors and the available
/// ring are ours, the used ring is the device's. Numbers are free-running; the rings' indices are their low 16 bits.
struct SplitRing: BitwiseCopyable {
    let descriptors: DescriptorRing
    let available: WordRing16
    let used: WordRing64
    private let driverArea: MemoryWindow
    private let deviceArea: MemoryWindow
    private let usesEventIndex: Bool

    init(_ area: VirtqueueArea, usesEventIndex: Bool) {
        let size = area.layout.size
        driverArea = area.driverArea
        deviceArea = area.deviceArea
        self.usesEventIndex = usesEventIndex
        descriptors = DescriptorRing(area.descriptors, count: size)
        available = WordRing16(driverArea.slice(at: Virtio.SplitRing.availableEntries, byteCount: 2 * size), count: size)
        used = WordRing64(deviceArea.slice(at: Virtio.SplitRing.usedEntries, byteCount: 8 * size), count: size)
        disarm()
    }

    var count: Int { descriptors.count }

    /// The second word of a descriptor without a successor.
    @inline(__always) static func word1(byteCount: UInt64, flags: Virtio.DescriptorFlags) -> UInt64 {
        byteCount | UInt64(flags.rawValue) &<< 32
    }

    /// How many entries of the used ring are new since number `next`. The device's word: it may be beyond the ring.
    @inline(__always) func newlyUsed(since next: Int) -> Int {
        Int(usedIndex &- UInt16(truncatingIfNeeded: next))
    }

    var usedIndex: UInt16 { deviceArea.load16(at: Virtio.SplitRing.usedIndex) }

    /// The device may use what stands in the available ring below this number.
    @inline(__always) func publish(below number: Int) {
        DeviceBarrier.publishToDevice()
        driverArea.store16(UInt16(truncatingIfNeeded: number), at: Virtio.SplitRing.availableIndex)
    }

    /// Whether the device wants to hear of buffers `old..<new`, which were published.
    @inline(__always) func wantsNotification(from old: Int, to new: Int) -> Bool {
        // The index is visible before the device's wish is read: it may be about to sleep.
        DeviceBarrier.full()
        guard usesEventIndex else { return deviceArea.load16(at: Virtio.SplitRing.usedFlags) & Virtio.SplitRing.noNotify == 0 }
        let event = deviceArea.load16(at: Virtio.SplitRing.availableEvent(size: count))
        return Virtio.isEventDue(event, old: UInt16(truncatingIfNeeded: old), new: UInt16(truncatingIfNeeded: new))
    }

    /// The device interrupts when it uses entry `next`.
    func arm(next: Int) {
        if usesEventIndex {
            driverArea.store16(UInt16(truncatingIfNeeded: next), at: Virtio.SplitRing.usedEvent(size: count))
        } else {
            driverArea.store16(0, at: Virtio.SplitRing.availableFlags)
        }
    }

    /// With the event index there is nothing to say: the armed entry is behind the device already.
    func disarm() { if !usesEventIndex { driverArea.store16(Virtio.SplitRing.noInterrupt, at: Virtio.SplitRing.availableFlags) } }
}
