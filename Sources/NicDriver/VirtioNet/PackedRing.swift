import DeviceMemory
import NicRegisters

/// A packed virtqueue as the driver sees it (virtio 1.2 "Packed Virtqueues"): one ring that both sides write in turn. Numbers
/// are free-running; the lap that a number is in is the specification's wrap counter.
struct PackedRing: BitwiseCopyable {
    let descriptors: DescriptorRing
    private let driverArea: MemoryWindow
    private let deviceArea: MemoryWindow
    private let usesEventIndex: Bool

    init(_ area: VirtqueueArea, usesEventIndex: Bool) {
        descriptors = DescriptorRing(area.descriptors, count: area.layout.size)
        driverArea = area.driverArea
        deviceArea = area.deviceArea
        self.usesEventIndex = usesEventIndex
        disarm()
    }

    var count: Int { descriptors.count }

    /// The wrap counter begins at 1 and changes with each lap.
    @inline(__always) private func wrapCounter(_ number: Int) -> Bool { number & count == 0 }

    // The second word: length in bits 0 to 31, identifier in 32 to 47, flags above.

    @inline(__always) static func flags(_ flags: Virtio.DescriptorFlags) -> UInt64 { UInt64(flags.rawValue) &<< 48 }

    /// The two flags that say whose a descriptor is.
    @inline(__always) static var ownerMask: UInt64 { flags([.available, .used]) }

    @inline(__always) static var idMask: UInt64 { 0xffff_0000_0000 }
    /// What one identifier more adds.
    @inline(__always) static var nextID: UInt64 { 1 &<< 32 }

    /// What the owner's flags are once the device has used the descriptor of a number: both equal the wrap counter.
    @inline(__always) func usedFlags(_ number: Int) -> UInt64 { PackedRing.flags(Virtio.PackedRing.used(wrap: wrapCounter(number))) }

    /// The owner's flags that give a number's descriptor to the device: they differ, and the first equals the wrap counter.
    @inline(__always) func availableFlags(_ number: Int) -> UInt64 {
        PackedRing.flags(Virtio.PackedRing.available(wrap: wrapCounter(number)))
    }

    @inline(__always) static func word1(byteCount: UInt64, id: UInt64, flags: UInt64) -> UInt64 { byteCount | id &<< 32 | flags }

    /// Gives a descriptor to the device. The second word has the flags: it is seen last.
    @inline(__always) func offer(_ iova: UInt64, _ word1: UInt64, _ slot: RingSlot) {
        descriptors.setWord0(iova, slot)
        DeviceBarrier.publishToDevice()
        descriptors.setWord1(word1, slot)
    }

    /// Whether the device has used the descriptor of a number.
    @inline(__always) func isUsed(_ number: Int) -> Bool {
        descriptors.word1(descriptors.slot(number)) & PackedRing.ownerMask == usedFlags(number)
    }

    /// Whether the device wants to hear of descriptors `old..<new`, which it was given.
    @inline(__always) func wantsNotification(from old: Int, to new: Int) -> Bool {
        // Descriptors are visible before the device's wish is read: it may be about to sleep.
        DeviceBarrier.full()
        let wish = Virtio.EventSuppression(word: deviceArea.load32(at: 0))
        if wish.isDisabled { return false }
        guard usesEventIndex, wish.isForDescriptor else { return true }
        // The number of the descriptor that it waits for: of this lap, or of the one before.
        let lap = new & ~(count &- 1)
        let event = lap &+ Int(wish.offset) &- (wish.wrap == wrapCounter(new) ? 0 : count)
        return UInt(bitPattern: new &- event &- 1) < UInt(bitPattern: new &- old)
    }

    /// The device interrupts when it uses descriptor number `next`, or any if it cannot tell them apart.
    func arm(next: Int) {
        let wish: Virtio.EventSuppression =
            usesEventIndex ? .at(UInt16(truncatingIfNeeded: next & (count &- 1)), wrap: wrapCounter(next)) : .enabled
        driverArea.store32(wish.word, at: 0)
    }

    func disarm() { driverArea.store32(Virtio.EventSuppression.disabled.word, at: 0) }
}
