public import DeviceMemory
import LinuxIO
import SystemPackage

/// A wire that goes on in the kernel, behind a descriptor that gives a frame a read and takes one a write: a tap interface
/// (DescriptorWire+Tap.swift), or UDP to another machine (DescriptorWire+UDP.swift).
///
/// A frame costs one system call, and so does a look that finds none. Nothing waits: what the kernel does not take is
/// dropped, counted.
public final class DescriptorWire: Wire {
    private let descriptor: OwnedDescriptor
    /// Of a tap; nil: the carrier is always on.
    private let tapCarrier: TapCarrier?
    /// The frame that was read and not dropped yet. One byte more than the largest one shows which are larger.
    private let memory: DMAMemory
    private static let readByteCount = wireMaximumFrameByteCount + 1
    private static let paddedByteCount = 60
    private var heldByteCount = 0
    /// The interface was deleted: nothing will ever come.
    private var isGone = false
    private var lastCarrier = true
    /// It is looked at each 100 ms at most: a look costs two system calls.
    private var lastCarrierLook: UInt64 = 0
    public private(set) var counters = WireCounters()

    init(_ descriptor: consuming OwnedDescriptor, tapCarrier: consuming TapCarrier?) throws(SystemCallError) {
        memory = try DMAMemory.ordinary(byteCount: Self.readByteCount, name: "unic-wire")
        self.descriptor = descriptor
        self.tapCarrier = tapCarrier
    }

    // MARK: Frames

    public func send(_ frame: MemoryWindow) {
        counters.sentFrames &+= 1
        guard frame.byteCount <= wireMaximumFrameByteCount, !isGone else {
            counters.droppedRefused &+= 1
            return
        }
        // SAFETY: exactly the frame, which the model keeps for the call; memory that is gone under it makes the write fail.
        switch unsafe descriptor.writeDatagram(frame.baseAddress, byteCount: frame.byteCount) {
        case .bytes: break
        case .wouldBlock, .failed(.noBufferSpace): counters.droppedFull &+= 1
        case .failed(let code): refused(code)
        }
    }

    /// The kernel wakes who sleeps, with each frame.
    public func flush() {}

    public func nextReceived() -> MemoryWindow? {
        if heldByteCount == 0 { read() }
        return heldByteCount == 0 ? nil : memory.window.slice(at: 0, byteCount: heldByteCount)
    }

    public func dropReceived() {
        guard heldByteCount > 0 else { return }
        heldByteCount = 0
        counters.receivedFrames &+= 1
    }

    /// One frame, past what is none: at most 16, so that whoever sends only such does not keep the model here.
    private func read() {
        for _ in 0..<16 where !isGone {
            // SAFETY: the memory is this wire's own and has as many bytes.
            switch unsafe descriptor.readDatagram(memory.window.baseAddress, byteCount: Self.readByteCount) {
            case .bytes(let count) where count < WireLayout.minimumFrameByteCount || count > wireMaximumFrameByteCount:
                counters.droppedDamaged &+= 1
            case .bytes(let count):
                hold(count)
                return
            case .wouldBlock: return
            case .failed(let code): refused(code)
            }
        }
    }

    /// The kernel's frames may be shorter than a cable's (IEEE 802.3 §3.2.8): zeros follow them.
    private func hold(_ byteCount: Int) {
        heldByteCount = max(byteCount, Self.paddedByteCount)
        memory.window.slice(at: byteCount, byteCount: heldByteCount - byteCount).fill(0)
    }

    /// An interface that is deleted says so once, with EBADFD; every other failure is one frame's.
    private func refused(_ code: Errno) {
        counters.droppedRefused &+= 1
        isGone = isGone || code == TapInterface.deleted
    }

    /// Everything comes: the kernel sends what it likes, and another machine does not look here.
    public func announceFilter(unicast: UInt64?) {}

    // MARK: Carrier and sleep

    public var hasCarrier: Bool {
        if isGone { return false }
        let now = MonotonicClock.nanoseconds()
        if now &- lastCarrierLook >= 100_000_000 {
            lastCarrierLook = now
            lastCarrier = tapCarrier?.isOn(descriptor) ?? true
        }
        return lastCarrier
    }

    /// A frame that the model left here would be followed by more, which must not keep its thread awake; neither must a
    /// descriptor whose interface is gone.
    public func armWake() -> Int32? { isGone || heldByteCount > 0 ? nil : descriptor.number }
    public func disarmWake() {}
}
