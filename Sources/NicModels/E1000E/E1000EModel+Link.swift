import DeviceMemory
import NicRegisters

/// CTRL, STATUS, MDIC and the link behind them.
extension E1000EModel {
    mutating func writeControl(_ value: E1000E.Control) {
        if value.contains(.reset) {
            resetController()
            return
        }
        registers.write(value, to: E1000E.ctrl)
        if value.contains(.phyReset) {
            phy = E1000EPHYModel()
            var status = registers.read(E1000E.status)
            status.insert(.phyResetAsserted)
            registers.store32(status.bits, at: E1000E.status.offset)
            isLinkUp = false
        }
        updateReceiveSettings()
        updateMemoryAccess()
        checkLink()
    }

    /// Only PHYRA can be written, with zero (QEMU e1000e_set_status).
    mutating func writeStatus(_ value: E1000E.Status) {
        guard !value.contains(.phyResetAsserted) else { return }
        let status = registers.read(E1000E.status).subtracting(.phyResetAsserted)
        registers.store32(status.bits, at: E1000E.status.offset)
    }

    /// Duplex, speed and link follow CTRL and the wire (QEMU e1000e_get_status).
    mutating func readStatus() -> E1000E.Status {
        checkLink()
        let control = registers.read(E1000E.ctrl)
        var status = registers.read(E1000E.status).intersection(.phyResetAsserted)
        if !control.contains(.gioMasterDisable) { status.insert(.gioMasterEnable) }
        if !control.contains(.forceDuplex) || control.contains(.fullDuplex) { status.insert(.fullDuplex) }
        if isLinkUp { status.insert(.linkUp) }
        let isForced = control.contains(.forceSpeed) || registers.read(E1000E.ctrlExt).contains(.speedBypass)
        status.speed = isForced ? control.speed : 2
        status.detectedSpeed = 2
        return status
    }

    /// Link is what the wire says, if the driver wants one. A change is an interrupt cause.
    mutating func checkLink() {
        let isUp = registers.read(E1000E.ctrl).contains(.setLinkUp) && !phy.isPoweredDown && wire.hasCarrier
        guard isUp != isLinkUp else { return }
        isLinkUp = isUp
        phy.linkChanged(isUp)
        raise(.linkChange)
    }

    /// One access of the PHY, done at once (QEMU e1000e_set_mdic).
    mutating func writeMDIC(_ command: E1000E.MDIControl) {
        var result = command.subtracting([.error, .ready])
        let number = UInt8(truncatingIfNeeded: command.registerNumber)
        if command.phyAddress != E1000E.PHY.address {
            result.insert(.error)
        } else if command.contains(.read) {
            checkLink()
            if let value = phy.read(number) { result.data = UInt32(value) } else { result.insert(.error) }
        } else if command.contains(.write) {
            switch phy.write(UInt16(truncatingIfNeeded: command.data), to: number) {
            case .refused: result.insert(.error)
            case .stored: break
            case .restartedLink:
                isLinkUp = false
                checkLink()
            }
        }
        result.insert(.ready)
        registers.write(result, to: E1000E.mdic)
        if command.contains(.interruptEnable) { raise(.mdioDone) }
    }
}
