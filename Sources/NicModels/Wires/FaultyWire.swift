public import DeviceMemory
public import LinuxIO

/// A wire behind which another one lies, and which loses, reorders, repeats and damages what its end sends. What others send to
/// it is theirs to harm. For trying out what stands above; a wire without faults does not have this in front of it.
public final class FaultyWire: Wire {
    private let wire: any Wire
    private var fates: FrameFates
    private let damaged: DMAMemory
    private var held: HeldFrames
    /// What was done so far.
    public private(set) var tally = FaultTally()

    /// How long a frame is held if too few follow it, nanoseconds.
    static var longestHold: UInt64 { 100_000 }

    public init(_ wire: any Wire, faults: WireFaults) throws(SystemCallError) {
        self.wire = wire
        fates = FrameFates(faults)
        damaged = try DMAMemory.ordinary(byteCount: wireMaximumFrameByteCount, name: "unic-wire")
        held = try HeldFrames()
    }

    public func send(_ frame: MemoryWindow) {
        guard frame.byteCount > 0, frame.byteCount <= wireMaximumFrameByteCount else { return wire.send(frame) }
        let fate = fates.next()
        if fate.isLost {
            tally.lost &+= 1
        } else {
            var frame = frame
            if let bit = fate.wrongBit { frame = damage(frame, bit: bit) }
            if fate.isDuplicated { tally.duplicated &+= 1 }
            let count = fate.isDuplicated ? 2 : 1
            if fate.heldFor > 0,
                held.hold(frame, count: count, behind: fate.heldFor, until: MonotonicClock.nanoseconds() &+ Self.longestHold)
            {
                tally.reordered &+= 1
                return
            }
            for _ in 0..<count { wire.send(frame) }
        }
        held.frameWent(on: wire)
    }

    /// A copy with one bit turned over.
    private func damage(_ frame: MemoryWindow, bit: UInt64) -> MemoryWindow {
        tally.corrupted &+= 1
        let copy = damaged.window.slice(at: 0, byteCount: frame.byteCount)
        frame.copy(at: 0, byteCount: frame.byteCount, to: copy, at: 0)
        let place = Int(truncatingIfNeeded: bit % UInt64(truncatingIfNeeded: frame.byteCount &* 8))
        copy.store8(copy.load8(at: place &>> 3) ^ 1 &<< UInt8(truncatingIfNeeded: place & 7), at: place &>> 3)
        return copy
    }

    public func nextReceived() -> MemoryWindow? {
        if !held.isEmpty { held.release(before: MonotonicClock.nanoseconds(), on: wire) }
        return wire.nextReceived()
    }

    public func dropReceived() { wire.dropReceived() }
    public func announceFilter(unicast: UInt64?) { wire.announceFilter(unicast: unicast) }
    public var hasCarrier: Bool { wire.hasCarrier }

    /// Nobody would look at the clock during a sleep: what is held goes first.
    public func armWake() -> Int32? {
        held.release(before: .max, on: wire)
        return wire.armWake()
    }
    public func disarmWake() { wire.disarmWake() }
    public var counters: WireCounters { wire.counters }
}

/// What a wire with faults has done to its end's frames.
public struct FaultTally: Equatable, Sendable {
    public var lost: UInt64 = 0, reordered: UInt64 = 0, duplicated: UInt64 = 0, corrupted: UInt64 = 0
    public init() {}
}
