import NicRegisters

/// The statistics registers: a read clears, and a full one stays full (QEMU hw/net/e1000x_common.h
/// e1000x_inc_reg_if_not_full). Byte counts have 64 bits, cleared when their upper half is read (e1000e_mac_read_clr8).
struct E1000EStatistics {
    private var values = InlineArray<80, UInt32>(repeating: 0)
    private static var start: Int { E1000E.crcerrs.offset }

    static func covers(_ offset: Int) -> Bool { offset >= start && offset <= E1000E.icrxoc.offset }

    /// - Parameter offset: a row's, covered.
    mutating func readAndClear(at offset: Int) -> UInt32 {
        let index = (offset &- Self.start) / 4
        guard values.indices.contains(index) else { return 0 }
        let value = values[index]
        switch offset {
        case E1000E.gorcl.offset, E1000E.gotcl.offset, E1000E.torl.offset, E1000E.totl.offset: return value
        case E1000E.gorch.offset, E1000E.gotch.offset, E1000E.torh.offset, E1000E.toth.offset: values[index - 1] = 0
        default: break
        }
        values[index] = 0
        return value
    }

    @inline(__always)
    mutating func count(_ register: Register<UInt32, ReadClears>, _ amount: UInt32 = 1) {
        let index = (register.offset &- Self.start) / 4
        let (sum, overflow) = values[index].addingReportingOverflow(amount)
        values[index] = overflow ? .max : sum
    }

    /// - Parameter low: the lower of two neighbours.
    @inline(__always)
    private mutating func countBytes(_ low: Register<UInt32, ReadClears>, _ amount: UInt32) {
        let index = (low.offset &- Self.start) / 4
        let (sum, overflow) = values[index].addingReportingOverflow(amount)
        values[index] = sum
        if overflow { values[index + 1] &+= 1 }
    }

    /// Any frame that arrived, wanted or not.
    /// - Parameter byteCount: with FCS.
    @inline(__always)
    mutating func countArrived(byteCount: Int) {
        count(E1000E.tpr)
        countBytes(E1000E.torl, UInt32(truncatingIfNeeded: byteCount))
    }

    /// A frame that the driver got.
    @inline(__always)
    mutating func countReceived(byteCount: Int, destination: E1000EDestination) {
        count(E1000E.gprc)
        countBytes(E1000E.gorcl, UInt32(truncatingIfNeeded: byteCount))
        countSize(byteCount, first: E1000E.prc64)
        switch destination.kind {
        case .broadcast: count(E1000E.bprc)
        case .multicast: count(E1000E.mprc)
        case .unicast: break
        }
    }

    @inline(__always)
    mutating func countSent(byteCount: Int, destination: E1000EDestination) {
        count(E1000E.gptc)
        count(E1000E.tpt)
        countBytes(E1000E.gotcl, UInt32(truncatingIfNeeded: byteCount))
        countBytes(E1000E.totl, UInt32(truncatingIfNeeded: byteCount))
        countSize(byteCount, first: E1000E.ptc64)
        switch destination.kind {
        case .broadcast: count(E1000E.bptc)
        case .multicast: count(E1000E.mptc)
        case .unicast: break
        }
    }

    /// Six neighbours: up to 64, 127, 255, 511, 1023 bytes, and more.
    @inline(__always)
    private mutating func countSize(_ byteCount: Int, first: Register<UInt32, ReadClears>) {
        let bucket =
            byteCount <= 64 ? 0 : byteCount <= 127 ? 1 : byteCount <= 255 ? 2 : byteCount <= 511 ? 3 : byteCount <= 1023 ? 4 : 5
        count(Register(first.offset &+ 4 &* bucket))
    }
}
