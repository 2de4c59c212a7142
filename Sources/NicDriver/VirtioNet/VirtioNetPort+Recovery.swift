import DeviceAccess
import NicRegisters

extension VirtioNetPort {
    public var canRecover: Bool { device.canReconnect && !isStopped }

    /// The order of opening, with a device that has to be as it was: rings, notification addresses and features stay.
    public func recover(timeoutMilliseconds: UInt64) throws(PortError) {
        guard !isStopped else { throw .badOption("\(url): the port has been stopped. Open it again.") }
        do throws(DeviceError) {
            try device.reconnect(timeoutMilliseconds: timeoutMilliseconds)
            bringUp.structures.fault.forget()
            try BusMaster.enable(device)
            guard try VirtioStructures.find(device) == bringUp.structures.places else {
                throw other("its virtio structures lie elsewhere")
            }
        } catch { throw .device(error) }
        let new = try VirtioNetBringUp(device, structures: bringUp.structures, common: common, options: options)
        guard new.agrees(with: bringUp), new.queueShapes == queueShapes else {
            throw .device(other("its features or queues differ"))
        }
        for pair in pairs { pair.restart() }
        control?.restart()
        try bringUp.start(pairs, control)
        try setUpSpreading()
        try setAddress(insteadOf: try new.macAddress())
        if bringUp.features.contains(.controlReceive) { try setFilter(filter) }
        for pair in pairs { pair.start() }
        do throws(PortError) { try waitForLink(milliseconds: options.linkMillisecondsAfterRecovery) } catch {
            guard case .linkDown = error else { throw error }
        }
        for pair in pairs { pair.noteRecovery() }
    }

    /// The port keeps its address.
    private func setAddress(insteadOf found: MACAddress) throws(PortError) {
        guard found != macAddress else { return }
        guard let control, bringUp.features.contains(.controlMACAddress) else {
            throw .device(other("its MAC address is \(found) instead of \(macAddress), and cannot be set"))
        }
        try control.send(VirtioNet.Command.setMACAddress, macAddress.bytes, named: "set the MAC address")
    }

    private func other(_ difference: String) -> DeviceError {
        .notUsable(
            device: url, group: nil, reason: "the device that came back is another one: \(difference)",
            fix: "Start it as it was before, or open it anew.")
    }
}
