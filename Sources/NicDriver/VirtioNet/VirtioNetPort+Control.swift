import NicRegisters

/// What goes through the control queue: which frames are received, and on which queues.
extension VirtioNetPort {
    public func setFilter(_ filter: ReceiveFilter) throws(PortError) {
        guard filter.multicast.allSatisfy(\.isMulticast), filter.unicast.allSatisfy({ !$0.isMulticast }) else {
            throw .badOption("A unicast address among the multicast ones, or the other way round.")
        }
        guard let control, bringUp.features.contains(.controlReceive) else {
            // Such a device receives what its hypervisor gives it.
            guard filter == ReceiveFilter() else {
                throw .badOption(
                    "\(url) cannot filter (no VIRTIO_NET_F_CTRL_RX): it receives what its hypervisor gives it, promiscuous or not.")
            }
            return
        }
        guard filter.unicast.count <= VirtioNetPort.macTableSize else {
            throw .badOption(
                "\(filter.unicast.count) further unicast addresses: virtio-net has room for \(VirtioNetPort.macTableSize). Use promiscuous mode."
            )
        }
        // Groups that the table has no room for: all of them pass, as in a filter by hash.
        let hasRoom = filter.unicast.count + filter.multicast.count <= VirtioNetPort.macTableSize
        let multicast = hasRoom ? filter.multicast : []
        try control.send(
            VirtioNet.Command.setMACTable, VirtioNetPort.table(filter.unicast) + VirtioNetPort.table(multicast), named: "MAC table")
        let all = filter.isPromiscuous || filter.acceptsAllMulticast || !hasRoom
        try control.send(VirtioNet.Command.allMulticast, [all ? 1 : 0], named: "all multicast")
        try control.send(VirtioNet.Command.promiscuous, [filter.isPromiscuous ? 1 : 0], named: "promiscuous mode")
        self.filter = filter
    }

    /// struct virtio_net_ctrl_mac: how many, then 6 bytes each.
    private static func table(_ addresses: [MACAddress]) -> [UInt8] {
        bytes(UInt32(addresses.count)) + addresses.flatMap(\.bytes)
    }

    private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    /// Spreads received flows over the queue pairs: by a hash of ours (RSS), or as the device likes.
    func setUpSpreading() throws(PortError) {
        guard let control, queuePairs.count > 1 else { return }
        guard bringUp.features.contains(.rss) else {
            return try control.send(
                VirtioNet.Command.setQueuePairs, VirtioNetPort.bytes(UInt16(queuePairs.count)), named: "number of queue pairs")
        }
        let key = ToeplitzHash.standardKey
        guard let limits = bringUp.config.rss, limits.keyByteCount >= key.count, limits.tableCount >= VirtioNetPort.spreadingEntries else {
            throw .device(
                .notUsable(
                    device: url, group: nil,
                    reason:
                        "the device offers receive side scaling with less than a key of \(key.count) bytes or a table of \(VirtioNetPort.spreadingEntries)",
                    fix: "Start it with rss=off, or use one queue pair."))
        }
        try control.send(
            VirtioNet.Command.setRSS,
            VirtioNetPort.spreading(
                over: queuePairs.count, hashTypes: limits.hashTypes.intersection(VirtioNetPort.wantedHashTypes), key: key),
            named: "receive side scaling")
    }

    /// Entries of the table that a hash picks from: what a device has at least (virtio 1.2, rss_max_indirection_table_length).
    static var spreadingEntries: Int { VirtioNet.RSSConfig.minimumTableCount }
    private static var wantedHashTypes: VirtioNet.HashTypes { [.ipv4, .tcpv4, .udpv4, .ipv6, .tcpv6, .udpv6] }

    /// struct virtio_net_rss_config: table entries take turns; what is not hashed goes to queue 0.
    static func spreading(over pairs: Int, hashTypes: VirtioNet.HashTypes, key: [UInt8]) -> [UInt8] {
        let table = (0..<spreadingEntries).flatMap { bytes(UInt16($0 % pairs)) }
        return bytes(hashTypes.bits) + bytes(UInt16(spreadingEntries - 1)) + bytes(UInt16(0)) + table + bytes(UInt16(pairs))
            + [UInt8(key.count)] + key
    }
}
