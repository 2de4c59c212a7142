import DeviceMemory

/// The parts of a split virtqueue as the driver sees them (virtio 1.2 "Split Virtqueues"): descriptors and the available
/// ring are ours, the used ring is the device's. Numbers are free-running; the rings' indices are their low 16 bits.
struct SplitRing: BitwiseCopyable {
    let descriptors: DescriptorRing
    let available: WordRing16
    let used: WordRing64
    private let driverArea: MemoryWindow
    private let deviceArea: MemoryWindow
    private let usesEventIndex: Bool

    /// Entries of both rings follow two 16-bit fields, `flags` and `idx`.
    private static var entries: Int { 4 }

    init(_ area: VirtqueueArea, usesEventIndex: Bool) {
        let size = area.layout.size
        driverArea = area.driverArea
        deviceArea = area.deviceArea
        self.usesEventIndex = usesEventIndex
        descriptors = DescriptorRing(area.descriptors, count: size)
        available = WordRing16(driverArea.slice(at: SplitRing.entries, byteCount: 2 * size), count: size)
        used = WordRing64(deviceArea.slice(at: SplitRing.entries, byteCount: 8 * size), count: size)
        disarm()
    }

    var count: Int { descriptors.count }

    /// The second word of a descriptor without a successor.
    @inline(__always) static func word1(byteCount: UInt64, flags: UInt64) -> UInt64 { byteCount | flags &<< 32 }

    /// How many entries of the used ring are new since number `next`. The device's word: it may be beyond the ring.
    @inline(__always) func newlyUsed(since next: Int) -> Int {
        Int(usedIndex &- UInt16(truncatingIfNeeded: next))
    }

    var usedIndex: UInt16 { deviceArea.load16(at: 2) }

    /// The device may use what stands in the available ring below this number.
    func publish(below number: Int) {
        DeviceBarrier.publishToDevice()
        driverArea.store16(UInt16(truncatingIfNeeded: number), at: 2)
    }

    /// Whether the device wants to hear of buffers `old..<new`, which were published.
    func wantsNotification(from old: Int, to new: Int) -> Bool {
        // The index is visible before the device's wish is read: it may be about to sleep.
        DeviceBarrier.full()
        guard usesEventIndex else { return deviceArea.load16(at: 0) & Virtio.suppress == 0 }
        let event = deviceArea.load16(at: SplitRing.entries + 8 * count)
        let new = UInt16(truncatingIfNeeded: new)
        return new &- event &- 1 < new &- UInt16(truncatingIfNeeded: old)
    }

    /// The device interrupts when it uses entry `next`.
    func arm(next: Int) {
        if usesEventIndex {
            driverArea.store16(UInt16(truncatingIfNeeded: next), at: SplitRing.entries + 2 * count)
        } else {
            driverArea.store16(0, at: 0)
        }
    }

    /// With the event index there is nothing to say: the armed entry is behind the device already.
    func disarm() { if !usesEventIndex { driverArea.store16(Virtio.suppress, at: 0) } }
}
