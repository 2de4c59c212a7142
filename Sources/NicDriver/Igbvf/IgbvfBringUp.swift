import DeviceAccess
import DeviceMemory
import LinuxIO
import NicRegisters

/// A virtual function's way from power-on to moving frames, in the order of docs/families/igbvf.md.
enum IgbvfBringUp {
    /// Interrupts off, queues off, the function's own reset. Its PF hears of it.
    static func reset(_ registers: RegisterFile, device: any DeviceAccess) throws(PortError) {
        try checkStatus(registers, url: device.url)
        registers.write(.all, to: Igbvf.eimc)
        registers.write(.reset, to: Igbvf.ctrl)
        settle(device)
    }

    static func checkStatus(_ registers: RegisterFile, url: String) throws(PortError) {
        guard registers.read(Igbvf.status).bits != .max else {
            throw .device(registers.fault ?? .gone(device: url, reason: "register STATUS reads all-ones"))
        }
    }

    /// Gives silicon the time that it needs (igbvf/vf.c and netdev.c sleep 10 ms). A model in this process has none.
    static func settle(_ device: any DeviceAccess) {
        if device.progress == nil { sleepMicroseconds(10_000) }
    }

    /// The address that the PF has for this function; if it has none, a local one that the PF is told.
    static func agreeOnAddress(_ mailbox: IgbvfMailbox, options: PortOptions) throws(PortError) -> MACAddress {
        let given = MACAddress(bits: try mailbox.shakeHands(patienceMilliseconds: options.linkTimeoutMilliseconds))
        if given.bits != 0, !given.isMulticast { return given }
        let own = localAddress()
        try mailbox.request(
            Igbvf.addressMessage(.own, own.bits), named: "set the address \(own)",
            refusalFix: "Give the function an address: ip link set PF vf N mac ADDRESS.")
        // What a driver before us asked for is still there, as long as nobody administers this function's addresses.
        try clearFurtherAddresses(mailbox, own: own)
        return own
    }

    /// Locally administered, unicast (IEEE 802: second bit of the first byte set, lowest clear).
    private static func localAddress() -> MACAddress { MACAddress(bits: 0x02 << 40 | UInt64.random(in: 0..<1 << 40)) }

    /// - Parameter own: the PF refuses the request with a zero address, though it has no use for one (igb_set_vf_mac_filter).
    static func clearFurtherAddresses(_ mailbox: IgbvfMailbox, own: MACAddress) throws(PortError) {
        try mailbox.request(
            Igbvf.addressMessage(.clearFurther, own.bits), named: "forget further unicast addresses", refusalFix: addressFix)
    }

    static let addressFix = "Leave further addresses out, or let the PF's administrator trust the function: ip link set PF vf N trust on."

    /// The longest frame that the PF lets through, with FCS and room for a tag. Always told: the PF remembers the last one.
    static func setReceiveLimit(_ mailbox: IgbvfMailbox, maximumFrameByteCount: Int) throws(PortError) {
        let limit = UInt32(maximumFrameByteCount + 8)
        try mailbox.request(
            [Igbvf.MessageHeader(.setReceiveLimit).bits, limit], named: "receive frames of \(limit) bytes",
            refusalFix: "Use shorter frames.")
    }

    /// No link is an error after so long only: the PF reports the port's.
    static func waitForLink(_ registers: RegisterFile, device: any DeviceAccess, milliseconds: UInt64) throws(PortError) {
        let up = Igbvf.Status.linkUp.rawValue
        do {
            try registers.wait(for: Igbvf.status, named: "STATUS.LU", mask: up, value: up, milliseconds: milliseconds) {
                _ = device.progress?.step()
            }
        } catch .registerTimeout {
            throw .linkDown(url: device.url, milliseconds: milliseconds)
        }
    }

    /// 2048 bytes for ordinary frames, 16 KiB for jumbo ones: whole KiB, as SRRCTL has them, and a power of two, so that no
    /// buffer crosses a hugepage's end (docs/families/e1000e.md).
    static func bufferByteCount(_ options: PortOptions) -> Int { options.maximumFrameByteCount <= 2048 - 8 ? 2048 : 16384 }

    // MARK: Queues

    static func setUpReceive(
        _ registers: RegisterFile, queue: Int, _ memory: PortMemory, _ options: PortOptions
    ) throws(PortError) {
        registers.write(UInt32(truncatingIfNeeded: memory.receiveRingIOVA.rawValue), to: Igbvf.rdbal[queue])
        registers.write(UInt32(truncatingIfNeeded: memory.receiveRingIOVA.rawValue >> 32), to: Igbvf.rdbah[queue])
        registers.write(UInt32(memory.receiveRing.count * Igbvf.descriptorByteCount), to: Igbvf.rdlen[queue])
        registers.write(0, to: Igbvf.rdh[queue])
        registers.write(0, to: Igbvf.rdt[queue])
        var split = Igbvf.SplitControl.dropEnable
        split.bufferSize = UInt32(bufferByteCount(options) / 1024)
        split.descriptorType = 1
        registers.write(split, to: Igbvf.srrctl[queue])
        // IGBVF_RX_PTHRESH, _HTHRESH, _WTHRESH.
        var control = Igbvf.QueueControl.enable
        control.prefetchThreshold = 16
        control.hostThreshold = 8
        control.writeBackThreshold = 1
        registers.write(control, to: Igbvf.rxdctl[queue])
        try waitForQueue(registers, Igbvf.rxdctl[queue], "RXDCTL.ENABLE")
    }

    /// No write-back threshold: a descriptor with RS is written back at once.
    static func setUpTransmit(_ registers: RegisterFile, queue: Int, _ memory: PortMemory) throws(PortError) {
        registers.write(UInt32(truncatingIfNeeded: memory.transmitRingIOVA.rawValue), to: Igbvf.tdbal[queue])
        registers.write(UInt32(truncatingIfNeeded: memory.transmitRingIOVA.rawValue >> 32), to: Igbvf.tdbah[queue])
        registers.write(UInt32(memory.transmitRing.count * Igbvf.descriptorByteCount), to: Igbvf.tdlen[queue])
        registers.write(0, to: Igbvf.tdh[queue])
        registers.write(0, to: Igbvf.tdt[queue])
        registers.modify(Igbvf.txctrl[queue]) { $0.remove(.relaxedWriteBack) }
        registers.write(.enable, to: Igbvf.txdctl[queue])
        try waitForQueue(registers, Igbvf.txdctl[queue], "TXDCTL.ENABLE")
    }

    private static func waitForQueue(
        _ registers: RegisterFile, _ register: Register<Igbvf.QueueControl, ReadWrite>, _ name: String
    ) throws(PortError) {
        let enable = Igbvf.QueueControl.enable.rawValue
        try registers.wait(for: register, named: name, mask: enable, value: enable, milliseconds: 100)
    }

    /// Both directions off, before the reset: what is under way ends.
    static func stopQueues(_ registers: RegisterFile, queue: Int, device: any DeviceAccess) {
        registers.write([], to: Igbvf.rxdctl[queue])
        registers.write([], to: Igbvf.txdctl[queue])
        settle(device)
    }
}
