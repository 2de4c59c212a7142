import DeviceAccess
import DeviceMemory
import LinuxIO
import NicRegisters

/// The 82574L's way from power-on to moving frames, in the order of docs/families/e1000e.md.
enum E1000EBringUp {
    /// Interrupts off, DMA quiet, reset, interrupts off again. Bounded waits.
    static func reset(_ registers: RegisterFile, device: any DeviceAccess) throws(PortError) {
        guard registers.read(E1000E.status).bits != .max else {
            throw .device(registers.fault ?? .gone(device: device.url, reason: "register STATUS reads all-ones"))
        }
        try quiet(registers, device: device)
        setHardwareBits(registers)
    }

    static func quiet(_ registers: RegisterFile, device: any DeviceAccess) throws(PortError) {
        registers.write(E1000E.InterruptCause(bits: .max), to: E1000E.imc)
        registers.write(E1000E.ReceiveControl(), to: E1000E.rctl)
        registers.write(E1000E.TransmitControl.padShortPackets, to: E1000E.tctl)
        settle(device, microseconds: 10_000)
        // Requests on the bus end before the reset: e1000e_disable_pcie_master waits up to 80 ms and goes on.
        registers.modify(E1000E.ctrl) { $0.insert(.gioMasterDisable) }
        let deadline = Deadline(afterMilliseconds: 80)
        while registers.read(E1000E.status).contains(.gioMasterEnable), registers.fault == nil, !deadline.hasPassed {
            Processor.yield()
        }
        registers.modify(E1000E.ctrl) { $0.insert(.reset) }
        settle(device, microseconds: 10)
        try registers.wait(for: E1000E.ctrl, named: "CTRL.RST", mask: E1000E.Control.reset.rawValue, value: 0, milliseconds: 100)
        let done = E1000E.NVMControl.autoReadDone.rawValue
        try registers.wait(for: E1000E.eecd, named: "EECD.AUTO_RD", mask: done, value: done, milliseconds: 100)
        // The PHY is configured from the NVM meanwhile.
        settle(device, microseconds: 25_000)
        registers.write(E1000E.InterruptCause(bits: .max), to: E1000E.imc)
        _ = registers.read(E1000E.icr)
        registers.modify(E1000E.ctrl) { $0.remove(.gioMasterDisable) }
    }

    /// Gives silicon the time that it needs. A model in this process has none.
    private static func settle(_ device: any DeviceAccess, microseconds: UInt64) {
        if device.progress == nil { sleepMicroseconds(microseconds) }
    }

    /// Bits that the 82574L wants whatever it is used for. Linux 82571.c, e1000_initialize_hw_bits_82571 and
    /// e1000_init_mac_params_82571.
    static func setHardwareBits(_ registers: RegisterFile) {
        registers.write(E1000E.WakeUpControl(), to: E1000E.wuc)
        for queue in 0..<E1000E.queueCount { registers.modify(E1000E.txdctl[queue]) { $0.insert(.countDescriptors) } }
        registers.modify(E1000E.tarc[0]) { arbitration in
            arbitration.mode27 = 0
            arbitration.insert(.erratum26)
        }
        registers.modify(E1000E.ctrlExt) { control in
            control.insert(.driverLoaded)
        }
        registers.modify(E1000E.gcr) { $0.insert([.erratum22, .l1WithoutL0s]) }
        registers.modify(E1000E.gcr2) { $0.insert(.completionErratum) }
    }

    /// The address that the device loaded from its NVM into receive address 0; else the NVM's own words.
    static func readMACAddress(_ registers: RegisterFile, url: String) throws(PortError) -> MACAddress {
        let low = registers.read(E1000E.ral[0])
        let high = registers.read(E1000E.rah[0])
        let loaded = macAddress(low: low, high: high.bits & 0xffff)
        if high.contains(.valid), isUsable(loaded) { return loaded }
        var words: [UInt16] = []
        for word in 0..<3 { words.append(try readNVM(registers, word: E1000E.NVM.macAddress + word)) }
        let stored = macAddress(low: UInt32(words[0]) | UInt32(words[1]) << 16, high: UInt32(words[2]))
        guard isUsable(stored) else {
            throw .device(
                .notUsable(
                    device: url, group: nil, reason: "neither the receive address nor the NVM holds a unicast MAC address (\(stored))",
                    fix: "Program the NVM, or give the device an address in its hypervisor."))
        }
        return stored
    }

    private static func isUsable(_ address: MACAddress) -> Bool { address.bits != 0 && !address.isMulticast }

    /// The low word holds bytes 0…3 of the address, the first in its low bits; the high one bytes 4 and 5.
    private static func macAddress(low: UInt32, high: UInt32) -> MACAddress {
        let reversed = UInt64(low) | UInt64(high & 0xffff) << 32
        return MACAddress(bits: reversed.byteSwapped >> 16)
    }

    private static func readNVM(_ registers: RegisterFile, word: Int) throws(PortError) -> UInt16 {
        registers.write(E1000E.NVMRead.read(word: word), to: E1000E.eerd)
        let done = E1000E.NVMRead.done.rawValue
        try registers.wait(for: E1000E.eerd, named: "EERD.DONE", mask: done, value: done, milliseconds: 10)
        return UInt16(truncatingIfNeeded: registers.read(E1000E.eerd).data)
    }

    static func setReceiveAddress(_ registers: RegisterFile, index: Int, _ address: MACAddress?) {
        guard let bytes = address?.bytes else {
            registers.write(E1000E.ReceiveAddressHigh(), to: E1000E.rah[index])
            registers.write(0, to: E1000E.ral[index])
            return
        }
        let (low, high) = E1000E.ReceiveAddressHigh.entry(ofMAC: (bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5]))
        registers.write(low, to: E1000E.ral[index])
        registers.write(high, to: E1000E.rah[index])
    }

    /// Row and mask of the multicast table for an address, with RCTL.MO 0.
    static func multicastEntry(_ address: MACAddress) -> (row: Int, mask: UInt32) {
        let bytes = address.bytes
        return E1000E.tableBit(E1000E.multicastHash(byte4: bytes[4], byte5: bytes[5], multicastOffset: 0))
    }

    static func setUpFilters(_ registers: RegisterFile, mac: MACAddress) throws(PortError) {
        setReceiveAddress(registers, index: 0, mac)
        for index in 1..<E1000E.ral.count { setReceiveAddress(registers, index: index, nil) }
        for row in 0..<E1000E.mta.count { registers.write(0, to: E1000E.mta[row]) }
        do { try registers.check() } catch { throw .device(error) }
    }

    /// Statistics registers are zeroed by a read.
    static func clearStatistics(_ registers: RegisterFile) {
        var ignored = DeviceCounters()
        ignored.add(registers)
    }

    /// Lets the PHY negotiate, and waits. No flow control.
    static func waitForLink(_ registers: RegisterFile, device: any DeviceAccess, milliseconds: UInt64) throws(PortError) {
        registers.modify(E1000E.ctrl) { control in
            control.insert(.setLinkUp)
            control.remove([.forceSpeed, .forceDuplex, .receiveFlowControl, .transmitFlowControl, .linkReset, .vlanMode])
        }
        registers.write(0, to: E1000E.fcttv)
        registers.write(E1000E.FlowThresholdLow(), to: E1000E.fcrtl)
        registers.write(E1000E.FlowThresholdHigh(), to: E1000E.fcrth)
        let up = E1000E.Status.linkUp.rawValue
        do {
            try registers.wait(for: E1000E.status, named: "STATUS.LU", mask: up, value: up, milliseconds: milliseconds) {
                _ = device.progress?.step()
            }
        } catch .registerTimeout {
            throw .linkDown(url: device.url, milliseconds: milliseconds)
        }
    }

    /// 2048 bytes for ordinary frames, 16 KiB for jumbo ones: a power of two, so that no buffer crosses a hugepage's end.
    /// QEMU's e1000e loses frames whose buffer is not contiguous in its own memory.
    static func bufferByteCount(_ options: PortOptions) -> Int { options.maximumFrameByteCount <= E1000E.maximumShortFrame ? 2048 : 16384 }

    static func setUpReceive(_ registers: RegisterFile, queue: Int, _ memory: PortMemory) {
        registers.write(UInt32(truncatingIfNeeded: memory.receiveRingIOVA.rawValue), to: E1000E.rdbal[queue])
        registers.write(UInt32(truncatingIfNeeded: memory.receiveRingIOVA.rawValue >> 32), to: E1000E.rdbah[queue])
        registers.write(UInt32(memory.receiveRing.count * E1000E.descriptorByteCount), to: E1000E.rdlen[queue])
        registers.write(0, to: E1000E.rdh[queue])
        registers.write(0, to: E1000E.rdt[queue])
        var threshold = E1000E.ReceiveDescriptorControl.granularity
        threshold.writeBackThreshold = 1
        registers.write(threshold, to: E1000E.rxdctl[queue])
    }

    /// Receive side scaling: the hash of a flow's addresses (and TCP ports) picks its queue. One queue: none.
    static func spreadFlows(_ registers: RegisterFile, queueCount: Int) {
        guard queueCount > 1 else { return registers.write(E1000E.MultipleQueuesControl(), to: E1000E.mrqc) }
        for (row, word) in ToeplitzHash.standardKeyWords.enumerated() { registers.write(word, to: E1000E.rssrk[row]) }
        // Entries take turns; bit 7 of each is the queue.
        for row in 0..<E1000E.reta.count { registers.write(0x8000_8000, to: E1000E.reta[row]) }
        var control: E1000E.MultipleQueuesControl = [.tcpIPv4, .ipv4, .tcpIPv6Extended, .ipv6Extended, .ipv6]
        control.mode = 1
        registers.write(control, to: E1000E.mrqc)
    }

    static func enableReceive(_ registers: RegisterFile, _ options: PortOptions) {
        registers.write(E1000E.DelayTimer(), to: E1000E.rdtr)
        registers.write(0, to: E1000E.radv)
        registers.write([.extendedStatus, .acknowledgeDisable], to: E1000E.rfctl)
        registers.write([.ipOffload, .tcpUDPOffload, .packetChecksumDisable], to: E1000E.rxcsum)
        var control: E1000E.ReceiveControl = [.enable, .broadcastAccept, .stripCRC]
        if options.maximumFrameByteCount > E1000E.maximumShortFrame { control.insert(.longPackets) }
        control.formUnion(E1000E.ReceiveControl.bufferSize(byteCount: bufferByteCount(options)) ?? [])
        registers.write(control, to: E1000E.rctl)
    }

    static func setUpTransmit(_ registers: RegisterFile, queue: Int, _ memory: PortMemory) {
        registers.write(UInt32(truncatingIfNeeded: memory.transmitRingIOVA.rawValue), to: E1000E.tdbal[queue])
        registers.write(UInt32(truncatingIfNeeded: memory.transmitRingIOVA.rawValue >> 32), to: E1000E.tdbah[queue])
        registers.write(UInt32(memory.transmitRing.count * E1000E.descriptorByteCount), to: E1000E.tdlen[queue])
        registers.write(0, to: E1000E.tdh[queue])
        registers.write(0, to: E1000E.tdt[queue])
        var threshold: E1000E.TransmitDescriptorControl = [.granularity, .countDescriptors]
        threshold.writeBackThreshold = 1
        registers.write(threshold, to: E1000E.txdctl[queue])
    }

    static func enableTransmit(_ registers: RegisterFile) {
        registers.write(E1000E.DelayTimer(), to: E1000E.tidv)
        registers.write(0, to: E1000E.tadv)
        // DEFAULT_82543_TIPG_IPGT_COPPER, _IPGR1, _IPGR2 and E1000_COLLISION_THRESHOLD, E1000_COLLISION_DISTANCE of the
        // Linux driver; full duplex uses the first and pads short frames.
        var gap = E1000E.InterPacketGap()
        gap.transmit = 8
        gap.receive1 = 8
        gap.receive2 = 6
        registers.write(gap, to: E1000E.tipg)
        var control: E1000E.TransmitControl = [.enable, .padShortPackets, .retransmitLateCollision, .multipleRequests]
        control.collisionThreshold = 15
        control.collisionDistance = 63
        registers.write(control, to: E1000E.tctl)
    }
}
