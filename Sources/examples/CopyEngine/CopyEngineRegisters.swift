import DeviceMemory

/// BAR 0's first page: registers of 32 bits, little-endian.
public struct CopyEngineRegisters: Sendable {
    public enum Offset {
        /// RO, ``identity``.
        public static var identity: UInt64 { 0x00 }
        /// RW, the ring's address, low and high half; a multiple of 32.
        public static var ringLow: UInt64 { 0x04 }
        public static var ringHigh: UInt64 { 0x08 }
        /// RW, jobs in the ring, 1…1024, a power of two: counters go on where they wrap.
        public static var jobCount: UInt64 { 0x0c }
        /// RW, bit 0: the engine runs. Ring and size do not change while it does.
        public static var control: UInt64 { 0x10 }
        /// RO, jobs done.
        public static var completed: UInt64 { 0x14 }
        /// RO, bit 0: the ring or the doorbell was no good, and the engine has stopped.
        public static var status: UInt64 { 0x18 }
    }

    /// "COPY".
    public static var identity: UInt32 { 0x5950_4f43 }
    public static var maximumJobs: UInt32 { 1024 }

    private(set) var ring = IOVA(0)
    private(set) var jobCount: UInt32 = 1
    private(set) var isEnabled = false
    private var hasFault = false

    init() {}

    func read(_ offset: UInt64, completed: UInt32) -> UInt32 {
        switch offset {
        case Offset.identity: Self.identity
        case Offset.ringLow: UInt32(truncatingIfNeeded: ring.rawValue)
        case Offset.ringHigh: UInt32(truncatingIfNeeded: ring.rawValue >> 32)
        case Offset.jobCount: jobCount
        case Offset.control: isEnabled ? 1 : 0
        case Offset.completed: completed
        case Offset.status: hasFault ? 1 : 0
        default: 0
        }
    }

    /// Returns whether this enabled the engine.
    mutating func write(_ offset: UInt64, _ value: UInt32) -> Bool {
        switch offset {
        case Offset.control:
            let wasEnabled = isEnabled
            isEnabled = value & 1 != 0
            if isEnabled, !wasEnabled { hasFault = false }
            return isEnabled && !wasEnabled
        case _ where isEnabled: return false
        case Offset.ringLow: ring = IOVA(ring.rawValue & ~0xffff_ffff | UInt64(value & ~31))
        case Offset.ringHigh: ring = IOVA(ring.rawValue & 0xffff_ffff | UInt64(value) << 32)
        case Offset.jobCount where value.nonzeroBitCount == 1 && value <= Self.maximumJobs: jobCount = value
        default: break
        }
        return false
    }

    mutating func stopWithFault() {
        isEnabled = false
        hasFault = true
    }
}
