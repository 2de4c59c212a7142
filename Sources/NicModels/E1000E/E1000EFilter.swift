import DeviceMemory
import NicRegisters

/// A frame's destination address, read once.
struct E1000EDestination {
    enum Kind { case unicast, multicast, broadcast }

    /// 48 bits, the first byte on the wire lowest: as RAL and RAH hold it.
    let address: UInt64

    /// - Parameter frame: at least 14 bytes.
    @inline(__always) init(of frame: MemoryWindow) { address = frame.load64(at: 0) & 0xffff_ffff_ffff }

    @inline(__always) var kind: Kind {
        address & 1 == 0 ? .unicast : address == 0xffff_ffff_ffff ? .broadcast : .multicast
    }
}

/// Which frames pass: receive addresses, multicast hash, promiscuous modes. Filled when registers are written.
/// Order and hash: QEMU hw/net/e1000x_common.c e1000x_rx_group_filter.
struct E1000EFilter {
    enum Verdict { case refused, exact, inexact }

    private var exact = InlineArray<16, UInt64>(repeating: 0)
    private(set) var exactCount = 0
    var acceptsAllUnicast = false
    var acceptsAllMulticast = false
    var acceptsBroadcast = false
    /// RCTL.MO.
    var multicastOffset: UInt32 = 0
    /// What the wire was told; nil before the first time.
    var announced: UInt64??

    mutating func removeAll() { exactCount = 0 }

    mutating func add(_ address: UInt64) {
        guard exactCount < exact.count else { return }
        exact[exactCount] = address
        exactCount += 1
    }

    /// The only unicast address that passes, if there is just one entry.
    var onlyUnicast: UInt64? { acceptsAllUnicast || exactCount != 1 || exact[0] & 1 != 0 ? nil : exact[0] }

    @inline(__always)
    func judge(_ destination: E1000EDestination, hashTable: E1000ERegisterFile) -> Verdict {
        for index in 0..<exactCount where exact[index] == destination.address { return .exact }
        switch destination.kind {
        case .unicast: return acceptsAllUnicast ? .exact : .refused
        case .broadcast where acceptsBroadcast: return .exact
        case .multicast where acceptsAllMulticast: return .exact
        case .broadcast, .multicast:
            let hash = E1000E.multicastHash(
                byte4: UInt8(truncatingIfNeeded: destination.address >> 32),
                byte5: UInt8(truncatingIfNeeded: destination.address >> 40), multicastOffset: multicastOffset)
            let (row, mask) = E1000E.tableBit(hash)
            return hashTable.read(E1000E.mta[row]) & mask != 0 ? .inexact : .refused
        }
    }
}

extension E1000EModel {
    /// Takes over RCTL, RAL and RAH, and tells the wire.
    mutating func updateFilter() {
        let control = registers.read(E1000E.rctl)
        filter.acceptsAllUnicast = control.contains(.unicastPromiscuous)
        filter.acceptsAllMulticast = control.contains(.multicastPromiscuous)
        filter.acceptsBroadcast = control.contains(.broadcastAccept)
        filter.multicastOffset = control.multicastOffset
        filter.removeAll()
        for index in 0..<E1000E.ral.count {
            let high = registers.read(E1000E.rah[index])
            guard high.contains(.valid) else { continue }
            filter.add(UInt64(registers.read(E1000E.ral[index])) | UInt64(high.address) << 32)
        }
        let wanted = filter.onlyUnicast.map(\.littleEndianAddress)
        if filter.announced != .some(wanted) {
            filter.announced = .some(wanted)
            wire.announceFilter(unicast: wanted)
        }
    }
}
