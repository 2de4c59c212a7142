import DeviceMemory
import LinuxIO

/// Copies of frames that others overtake.
struct HeldFrames: ~Copyable {
    private struct Slot {
        /// 0: empty.
        var byteCount = 0
        var copies = 0
        /// Frames that still go first, and when it goes whatever else does.
        var behind = 0
        var until: UInt64 = 0
    }

    private static let slotByteCount = 9216
    private let memory: DMAMemory
    private var slots = [Slot](repeating: Slot(), count: FrameFates.longestHold)
    private var count = 0

    init() throws(SystemCallError) {
        memory = try DMAMemory.ordinary(byteCount: FrameFates.longestHold * Self.slotByteCount, name: "unic-held")
    }

    var isEmpty: Bool { count == 0 }

    /// False: there is no room.
    mutating func hold(_ frame: MemoryWindow, count copies: Int, behind: Int, until: UInt64) -> Bool {
        guard let index = slots.firstIndex(where: { $0.byteCount == 0 }) else { return false }
        frame.copy(at: 0, byteCount: frame.byteCount, to: memory.window, at: index * Self.slotByteCount)
        slots[index] = Slot(byteCount: frame.byteCount, copies: copies, behind: behind, until: until)
        count += 1
        return true
    }

    /// One frame was sent: those that waited for it alone follow.
    mutating func frameWent(on wire: any Wire) {
        guard count > 0 else { return }
        for index in slots.indices where slots[index].byteCount > 0 {
            slots[index].behind -= 1
            if slots[index].behind == 0 { send(index, on: wire) }
        }
    }

    /// Those whose time is over.
    mutating func release(before now: UInt64, on wire: any Wire) {
        for index in slots.indices where slots[index].byteCount > 0 && slots[index].until <= now { send(index, on: wire) }
    }

    private mutating func send(_ index: Int, on wire: any Wire) {
        let slot = slots[index]
        slots[index] = Slot()
        count -= 1
        let frame = memory.window.slice(at: index * Self.slotByteCount, byteCount: slot.byteCount)
        for _ in 0..<slot.copies { wire.send(frame) }
    }
}
