import DeviceMemory
import NicRegisters

/// Which frames the driver gets: its address, a table of others, and modes. "Packet Receive Filtering", "Setting MAC
/// Address Filtering". Addresses as in ``E1000EDestination``: the first byte on the wire lowest.
struct VirtioNetFilter {
    /// Entries of each kind; a driver that sets more gets all of that kind.
    static let tableCapacity = 64

    private var address: UInt64
    private var unicast = InlineArray<64, UInt64>(repeating: 0)
    private var unicastCount = 0
    private var multicast = InlineArray<64, UInt64>(repeating: 0)
    private var multicastCount = 0
    private var tableHoldsAllUnicast = false
    private var tableHoldsAllMulticast = false

    /// What a driver that cannot set filters gets: everything.
    var isOpen = true
    /// The driver has an address of its own that it did not tell.
    var addressIsUnknown = false
    var isPromiscuous = false
    var acceptsAllMulticast = false
    var acceptsAllUnicast = false
    var refusesMulticast = false
    var refusesUnicast = false
    var refusesBroadcast = false
    /// What the wire was told; nil before the first time.
    var announced: UInt64??

    /// - Parameter address: the first byte on the wire on top.
    init(address: UInt64) { self.address = address.littleEndianAddress }

    /// - Parameter address: the first byte on the wire lowest.
    mutating func setAddress(_ address: UInt64) {
        self.address = address
        addressIsUnknown = false
    }

    mutating func clearTable() {
        (unicastCount, multicastCount) = (0, 0)
        (tableHoldsAllUnicast, tableHoldsAllMulticast) = (false, false)
    }

    mutating func addUnicast(_ address: UInt64) {
        guard unicastCount < Self.tableCapacity else { return tableHoldsAllUnicast = true }
        unicast[unicastCount] = address
        unicastCount += 1
    }

    mutating func addMulticast(_ address: UInt64) {
        guard multicastCount < Self.tableCapacity else { return tableHoldsAllMulticast = true }
        multicast[multicastCount] = address
        multicastCount += 1
    }

    /// For tables that were too long to be read.
    mutating func acceptAllOfTable() { (tableHoldsAllUnicast, tableHoldsAllMulticast) = (true, true) }

    /// The only unicast address that passes, the first byte on the wire on top; nil: several do.
    var onlyUnicast: UInt64? {
        let passesOthers = isOpen || isPromiscuous || addressIsUnknown || acceptsAllUnicast || tableHoldsAllUnicast
        return passesOthers || unicastCount > 0 ? nil : address.littleEndianAddress
    }

    /// Promiscuous mode comes before all others, "no" before "all".
    @inline(__always) func accepts(_ destination: E1000EDestination) -> Bool {
        if isOpen || isPromiscuous { return true }
        switch destination.kind {
        case .unicast:
            if refusesUnicast { return false }
            if destination.address == address || addressIsUnknown || acceptsAllUnicast || tableHoldsAllUnicast { return true }
            for index in 0..<unicastCount where unicast[index] == destination.address { return true }
            return false
        case .broadcast: return !refusesBroadcast
        case .multicast:
            if refusesMulticast { return false }
            if acceptsAllMulticast || tableHoldsAllMulticast { return true }
            for index in 0..<multicastCount where multicast[index] == destination.address { return true }
            return false
        }
    }
}

extension VirtioNetModel {
    /// Takes over what was negotiated, and tells the wire.
    mutating func updateFilter() {
        filter.isOpen = !transport.isNegotiated || !transport.features.contains(.controlReceive)
        if transport.isNegotiated, !transport.features.contains(.mac) { filter.addressIsUnknown = true }
        announceFilter()
    }

    mutating func announceFilter() {
        let wanted = filter.onlyUnicast
        if filter.announced != .some(wanted) {
            filter.announced = .some(wanted)
            wire.announceFilter(unicast: wanted)
        }
    }
}
