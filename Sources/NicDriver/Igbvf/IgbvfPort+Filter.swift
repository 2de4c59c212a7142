import DeviceAccess
import NicRegisters

extension IgbvfPort {
    /// The most that the silicon takes is 9728 bytes with FCS (QEMU's VMOLR after reset); wires of this package carry less.
    static var longestFrameByteCount: Int { 9014 }

    static func judge(_ options: PortOptions) throws(PortError) {
        for (name, size) in [("receive", options.receiveRingSize), ("transmit", options.transmitRingSize)] {
            guard (64...4096).contains(size), size & (size - 1) == 0 else {
                throw .badOption("A \(name) ring of \(size) descriptors: give a power of two from 64 to 4096.")
            }
        }
        guard (60...longestFrameByteCount).contains(options.maximumFrameByteCount) else {
            throw .badOption(
                "A maximum frame of \(options.maximumFrameByteCount) bytes without FCS: the 82576's function takes 60 to \(longestFrameByteCount)."
            )
        }
        guard (0...1 << 19).contains(options.sparePackets) else {
            throw .badOption("\(options.sparePackets) spare packets: give 0 to \(1 << 19).")
        }
        guard options.queuePairCount == 1 else {
            throw .badOption(
                "\(options.queuePairCount) queue pairs: a virtual function of the 82576 has 1. Use a function for each thread.")
        }
        guard (0...8000).contains(options.interruptIntervalMicroseconds) else {
            throw .badOption("An interrupt interval of \(options.interruptIntervalMicroseconds) µs: give 0 to 8000.")
        }
    }

    /// Asks the PF. It has no promiscuous mode for a function, and refuses further addresses where an administrator gave
    /// the function its own.
    public func setFilter(_ filter: ReceiveFilter) throws(PortError) {
        guard !filter.isPromiscuous else {
            throw .badOption("\(url): a virtual function of the 82576 cannot be promiscuous. Ask for the addresses that are needed.")
        }
        guard filter.unicast.count <= Igbvf.furtherUnicastCount else {
            throw .badOption(
                "\(filter.unicast.count) further unicast addresses: a virtual function of the 82576 has room for \(Igbvf.furtherUnicastCount), and cannot be promiscuous. Use one function for each address."
            )
        }
        guard filter.multicast.allSatisfy(\.isMulticast), filter.unicast.allSatisfy({ !$0.isMulticast }) else {
            throw .badOption("A unicast address among the multicast ones, or the other way round.")
        }
        try setMulticast(filter)
        try setFurtherUnicast(filter.unicast)
        self.filter = filter
    }

    /// Groups beyond what a message holds become all multicast.
    private func setMulticast(_ filter: ReceiveFilter) throws(PortError) {
        let receivesAll = filter.acceptsAllMulticast || filter.multicast.count > Igbvf.multicastHashCount
        let hashes = receivesAll ? [] : filter.multicast.map { Igbvf.multicastHash(byte4: $0.bytes[4], byte5: $0.bytes[5]) }
        try mailbox.request(Igbvf.multicastMessage(hashes), named: "receive \(hashes.count) multicast groups", refusalFix: "Ask for fewer.")
        let mode = Igbvf.MessageHeader(.setPromiscuous, info: receivesAll ? Igbvf.promiscuousMulticast : 0)
        try mailbox.request(
            [mode.bits], named: receivesAll ? "receive all multicast" : "receive chosen multicast only",
            refusalFix: "Ask for at most \(Igbvf.multicastHashCount) groups by name.")
    }

    private func setFurtherUnicast(_ addresses: [MACAddress]) throws(PortError) {
        guard hasFurtherAddresses || !addresses.isEmpty else { return }
        try IgbvfBringUp.clearFurtherAddresses(mailbox, own: macAddress)
        hasFurtherAddresses = false
        for address in addresses {
            hasFurtherAddresses = true
            try mailbox.request(
                Igbvf.addressMessage(.addFurther, address.bits), named: "receive frames to \(address)", refusalFix: IgbvfBringUp.addressFix)
        }
    }

    /// Joins or leaves an 802.1Q VLAN. In a VLAN the PF takes the tags off received frames.
    /// - Parameter identifier: 1 to 4094.
    public func setVLAN(_ identifier: UInt16, isMember: Bool) throws(PortError) {
        guard (1...4094).contains(identifier) else { throw .badOption("VLAN \(identifier): give 1 to 4094.") }
        try mailbox.request(
            [Igbvf.MessageHeader(.setVLAN, info: isMember ? 1 : 0).bits, UInt32(identifier)],
            named: "\(isMember ? "join" : "leave") VLAN \(identifier)",
            refusalFix: "The PF's administrator may have set one: see ip link show PF.")
    }
}
