import DeviceAccess
import NicRegisters

extension IgbvfPort {
    public var canRecover: Bool { device.canReconnect && !isStopped }

    /// The order of opening. A PF that has another address for the function now is asked for the port's own.
    public func recover(timeoutMilliseconds: UInt64) throws(PortError) {
        guard !isStopped else { throw .badOption("\(url): the port has been stopped. Open it again.") }
        do {
            try device.reconnect(timeoutMilliseconds: timeoutMilliseconds)
            registers.forgetFault()
            try BusMaster.enable(device)
        } catch { throw .device(error) }
        try IgbvfBringUp.reset(registers, device: device)
        try takeAddress()
        try IgbvfBringUp.setReceiveLimit(mailbox, maximumFrameByteCount: options.maximumFrameByteCount)
        pair.restart()
        do throws(PortError) {
            try IgbvfBringUp.waitForLink(registers, device: device, milliseconds: options.linkMillisecondsAfterRecovery)
        } catch {
            guard case .linkDown = error else { throw error }
        }
        counted.restart(registers)
        try start()
        hasFurtherAddresses = false
        if filter != ReceiveFilter() { try setFilter(filter) }
        pair.noteRecovery()
    }

    private func takeAddress() throws(PortError) {
        guard try IgbvfBringUp.agreeOnAddress(mailbox, options: options) != macAddress else { return }
        try mailbox.request(
            Igbvf.addressMessage(.own, macAddress.bits), named: "set the address \(macAddress)",
            refusalFix: "Give the function that address: ip link set PF vf N mac ADDRESS.")
    }
}
