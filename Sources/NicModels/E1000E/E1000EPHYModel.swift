import NicRegisters

/// The PHY as far as drivers look: identifiers, auto-negotiation that ends at once, link status, pages.
/// Values after reset are the table's; what may be written: QEMU hw/net/e1000e_core.c e1000e_phy_regcap.
struct E1000EPHYModel {
    enum WriteResult { case stored, refused, restartedLink }

    private static let pageCount = 7
    private static let registersPerPage = 32
    private var values: [UInt16]
    private var isLinkUp = false
    /// Link was down since the status register was read.
    private var wasDown = true

    init() {
        values = Array(repeating: 0, count: E1000EPHYModel.pageCount * E1000EPHYModel.registersPerPage)
        for (page, register, value) in E1000E.PHY.resetValues {
            values[Int(page) * E1000EPHYModel.registersPerPage + Int(register)] = value
        }
    }

    private var control: E1000E.PHYControl { E1000E.PHYControl(rawValue: values[Int(E1000E.PHY.control)]) }
    var isPoweredDown: Bool { control.contains(.powerDown) || control.contains(.isolate) }

    mutating func linkChanged(_ isUp: Bool) {
        isLinkUp = isUp
        if !isUp { wasDown = true }
    }

    /// nil: no such register on the page that is chosen.
    mutating func read(_ register: UInt8) -> UInt16? {
        guard let index = index(of: register) else { return nil }
        switch index {
        case Int(E1000E.PHY.status): return readStatus()
        case Int(E1000E.PHY.copperStatus1): return isLinkUp ? values[index] : values[index] & ~copperLinkBits
        case Int(E1000E.PHY.partnerAbility), Int(E1000E.PHY.gigabitStatus): return isLinkUp ? values[index] : 0
        default: return values[index]
        }
    }

    mutating func write(_ value: UInt16, to register: UInt8) -> WriteResult {
        guard let index = index(of: register) else { return .refused }
        switch index {
        case Int(E1000E.PHY.control):
            let command = E1000E.PHYControl(rawValue: value)
            if command.contains(.reset) {
                let page = values[Int(E1000E.PHY.page)]
                self = E1000EPHYModel()
                values[Int(E1000E.PHY.page)] = page
            }
            // Bits 0 to 5 are reserved; reset and restart clear themselves (QEMU e1000e_set_phy_ctrl).
            values[index] = command.subtracting([.reset, .restartAutoNegotiation]).rawValue & ~0x3f
            return command.isDisjoint(with: [.reset, .restartAutoNegotiation, .powerDown]) ? .stored : .restartedLink
        case Int(E1000E.PHY.status), Int(E1000E.PHY.identifier1), Int(E1000E.PHY.identifier2),
            Int(E1000E.PHY.partnerAbility), Int(E1000E.PHY.expansion), Int(E1000E.PHY.gigabitStatus),
            Int(E1000E.PHY.extendedStatus), Int(E1000E.PHY.copperStatus1), Int(E1000E.PHY.receiveErrors):
            return .refused
        default:
            values[index] = value
            return .stored
        }
    }

    /// Link in the copper status: real-time link and global link. Linux e1000e M88E1000_PSSR.
    private var copperLinkBits: UInt16 { 0x0408 }

    /// Link latches low: the first read after a loss says down.
    private mutating func readStatus() -> UInt16 {
        let link: E1000E.PHYStatus = [.linkUp, .autoNegotiationComplete]
        var status = E1000E.PHYStatus(rawValue: values[Int(E1000E.PHY.status)]).subtracting(link)
        if isLinkUp {
            status.insert(.autoNegotiationComplete)
            if !wasDown { status.insert(.linkUp) }
            wasDown = false
        }
        return status.rawValue
    }

    private func index(of register: UInt8) -> Int? {
        guard register < E1000EPHYModel.registersPerPage else { return nil }
        if register <= E1000E.PHY.lastCommonRegister || register == E1000E.PHY.page { return Int(register) }
        let page = Int(values[Int(E1000E.PHY.page)] & 0xff)
        guard page < E1000EPHYModel.pageCount else { return nil }
        return page * E1000EPHYModel.registersPerPage + Int(register)
    }
}
