import DeviceAccess
import DeviceMemory
import NicRegisters

extension E1000EPort {
    static func judge(_ options: PortOptions) throws(PortError) {
        for (name, size) in [("receive", options.receiveRingSize), ("transmit", options.transmitRingSize)] {
            guard (64...4096).contains(size), size & (size - 1) == 0 else {
                throw .badOption("A \(name) ring of \(size) descriptors: give a power of two from 64 to 4096.")
            }
        }
        guard (60...9014).contains(options.maximumFrameByteCount) else {
            throw .badOption("A maximum frame of \(options.maximumFrameByteCount) bytes without FCS: the 82574L takes 60 to 9014.")
        }
        guard (0...1 << 19).contains(options.sparePackets) else {
            throw .badOption("\(options.sparePackets) spare packets: give 0 to \(1 << 19).")
        }
        guard (1...E1000E.queueCount).contains(options.queuePairCount) else {
            throw .badOption("\(options.queuePairCount) queue pairs: the 82574L has \(E1000E.queueCount).")
        }
        guard (0...16_000).contains(options.interruptIntervalMicroseconds) else {
            throw .badOption("An interrupt interval of \(options.interruptIntervalMicroseconds) µs: give 0 to 16000.")
        }
    }

    public func setFilter(_ filter: ReceiveFilter) throws(PortError) {
        guard filter.unicast.count < E1000E.ral.count else {
            throw .badOption(
                "\(filter.unicast.count) further unicast addresses: the 82574L has room for \(E1000E.ral.count - 1). Use promiscuous mode.")
        }
        guard filter.multicast.allSatisfy(\.isMulticast), filter.unicast.allSatisfy({ !$0.isMulticast }) else {
            throw .badOption("A unicast address among the multicast ones, or the other way round.")
        }
        for index in 1..<E1000E.ral.count {
            let address = index <= filter.unicast.count ? filter.unicast[index - 1] : nil
            E1000EBringUp.setReceiveAddress(registers, index: index, address)
        }
        var table = [UInt32](repeating: 0, count: E1000E.mta.count)
        for address in filter.multicast {
            let (row, mask) = E1000EBringUp.multicastEntry(address)
            table[row] |= mask
        }
        for (row, bits) in table.enumerated() { registers.write(bits, to: E1000E.mta[row]) }
        registers.modify(E1000E.rctl) { control in
            if filter.isPromiscuous { control.insert(.unicastPromiscuous) } else { control.remove(.unicastPromiscuous) }
            let all = filter.isPromiscuous || filter.acceptsAllMulticast
            if all { control.insert(.multicastPromiscuous) } else { control.remove(.multicastPromiscuous) }
        }
        do { try registers.check() } catch { throw .device(error) }
        self.filter = filter
    }

    public func readRegisters() -> [DeviceRegister] {
        DeviceRegister.read(
            ["CTRL", "STATUS", "RCTL", "TCTL", "IMS", "RDH", "RDT", "RXDCTL", "TDH", "TDT", "TXDCTL", "EITR"], of: E1000E.allRows,
            elementCount: pairs.count, from: registers)
    }

    public func readDeviceCounters() throws(PortError) -> DeviceCounters? {
        accumulated.add(registers)
        do { try registers.check() } catch { throw .device(error) }
        return accumulated
    }
}

extension DeviceCounters {
    /// Adds what the statistics registers counted since they were last read: a read clears them, low half first.
    mutating func add(_ registers: RegisterFile) {
        func pair(_ low: Register<UInt32, ReadClears>, _ high: Register<UInt32, ReadClears>) -> UInt64 {
            let lowHalf = UInt64(registers.read(low))
            return UInt64(registers.read(high)) << 32 | lowHalf
        }
        receivedFrames &+= UInt64(registers.read(E1000E.gprc))
        sentFrames &+= UInt64(registers.read(E1000E.gptc))
        receivedBytes &+= pair(E1000E.gorcl, E1000E.gorch)
        sentBytes &+= pair(E1000E.gotcl, E1000E.gotch)
        missedFrames &+= UInt64(registers.read(E1000E.mpc))
        for register in [E1000E.crcerrs, E1000E.rxerrc, E1000E.rlec, E1000E.roc, E1000E.ruc] {
            receiveErrors &+= UInt64(registers.read(register))
        }
    }
}
