import DeviceAccess
import NicRegisters

extension E1000EPort {
    public var canRecover: Bool { device.canReconnect && !isStopped }

    /// The order of opening. A new device may have another address in its NVM: receive address 0 gets the port's own.
    public func recover(timeoutMilliseconds: UInt64) throws(PortError) {
        guard !isStopped else { throw .badOption("\(url): the port has been stopped. Open it again.") }
        do {
            try device.reconnect(timeoutMilliseconds: timeoutMilliseconds)
            registers.forgetFault()
            try BusMaster.enable(device)
        } catch { throw .device(error) }
        try E1000EBringUp.reset(registers, device: device)
        for pair in pairs { pair.restart() }
        try E1000EBringUp.setUpFilters(registers, mac: macAddress)
        E1000EBringUp.clearStatistics(registers)
        do throws(PortError) {
            try E1000EBringUp.waitForLink(registers, device: device, milliseconds: options.linkMillisecondsAfterRecovery)
        } catch {
            guard case .linkDown = error else { throw error }
        }
        try start()
        try setFilter(filter)
        for pair in pairs { pair.noteRecovery() }
    }
}
