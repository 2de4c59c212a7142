import DeviceModel
import NicRegisters

/// Trapped accesses. Registers are 32 bits: a narrower read gives its part, a narrower write does nothing, 8 bytes are
/// two registers, low one first (QEMU hw/net/igbvf.c mmio_ops: 4-byte implementation).
extension IgbvfModel {
    public mutating func readRegion(_ bar: Int, at offset: UInt64, byteCount: Int) -> UInt64 {
        if hasFaults, faults.allOnes { return .max >> UInt64(64 - 8 * min(max(byteCount, 1), 8)) }
        guard let offset = Int(exactly: offset), offset < Igbvf.PCI.registerByteCount else { return 0 }
        switch byteCount {
        case 4 where offset & 3 == 0: return UInt64(readWord(bar, offset))
        case 8 where offset & 3 == 0:
            let low = readWord(bar, offset)
            return UInt64(low) | UInt64(readWord(bar, offset + 4)) << 32
        case 1, 2:
            guard offset & (byteCount - 1) == 0 else { return 0 }
            let word = readWord(bar, offset & ~3) >> UInt32(8 * (offset & 3))
            return UInt64(byteCount == 1 ? word & 0xff : word & 0xffff)
        default: return 0
        }
    }

    public mutating func writeRegion(_ bar: Int, at offset: UInt64, _ value: UInt64, byteCount: Int) {
        if hasFaults, faults.allOnes { return }
        guard let offset = Int(exactly: offset), offset < Igbvf.PCI.registerByteCount, offset & 3 == 0 else { return }
        guard byteCount == 4 || byteCount == 8 else { return }
        writeWord(bar, offset, UInt32(truncatingIfNeeded: value))
        if byteCount == 8 { writeWord(bar, offset + 4, UInt32(truncatingIfNeeded: value >> 32)) }
    }

    private mutating func readWord(_ bar: Int, _ offset: Int) -> UInt32 {
        switch bar {
        case Igbvf.PCI.registerBAR: return readRegister(offset)
        case Igbvf.PCI.msixBAR where msixTable.indices.contains(offset / 4): return msixTable[offset / 4]
        default: return 0
        }
    }

    private mutating func writeWord(_ bar: Int, _ offset: Int, _ value: UInt32) {
        switch bar {
        case Igbvf.PCI.registerBAR: writeRegister(offset, value)
        case Igbvf.PCI.msixBAR where msixTable.indices.contains(offset / 4): msixTable[offset / 4] = value
        default: break
        }
    }

    /// Four words a vector, masked (PCI Local Bus 3.0 §6.8.2). Kept for its readers: a host delivers by eventfd.
    static var freshMSIXTable: [UInt32] { (0..<Igbvf.PCI.msixVectorCount * 4).map { $0 % 4 == 3 ? 1 : 0 } }

    // MARK: One register

    private mutating func readRegister(_ offset: Int) -> UInt32 {
        if E1000ESharedRegisters.range.contains(UInt64(offset)) { return shared.load32(at: offset) }
        guard registers.allows(.read, at: offset) else { return 0 }
        switch offset {
        case Igbvf.status.offset: return readStatus().bits
        case Igbvf.v2pmailbox.offset: return readMailbox().bits
        case Igbvf.eicr.offset: return readCauses()
        case Igbvf.eims.offset: return interrupt.mask.bits
        default: return registers.load32(at: offset)
        }
    }

    private mutating func writeRegister(_ offset: Int, _ value: UInt32) {
        if E1000ESharedRegisters.range.contains(UInt64(offset)) { return shared.store32(value, at: offset) }
        guard registers.allows(.write, at: offset) else { return }
        switch offset {
        case Igbvf.ctrl.offset: if Igbvf.Control(bits: value).contains(.reset) { resetFunction() }
        case Igbvf.v2pmailbox.offset: writeMailbox(Igbvf.Mailbox(bits: value))
        case Igbvf.eics.offset, Igbvf.eims.offset, Igbvf.eimc.offset, Igbvf.eicr.offset: writeInterrupts(offset, value)
        default: registers.store32(value, at: offset)
        }
    }

    /// The port's: a full duplex link at 1000 Mb/s, if the wire leads anywhere.
    private func readStatus() -> Igbvf.Status {
        var status = Igbvf.Status.fullDuplex
        status.speed = 2
        if wire.hasCarrier { status.insert(.linkUp) }
        return status
    }

    // MARK: Mailbox

    private mutating func readMailbox() -> Igbvf.Mailbox {
        defer { mailbox.subtract(.clearedByRead) }
        return mailbox
    }

    /// Ownership is granted unless the PF has it (QEMU igb_core.c igb_set_vfmailbox); mail is read at once.
    private mutating func writeMailbox(_ value: Igbvf.Mailbox) {
        if value.contains(.functionOwns) { mailbox.insert(.functionOwns) } else { mailbox.remove(.functionOwns) }
        if value.contains(.request) { readMail() }
    }

    private mutating func readMail() {
        if mailbox.contains(.resetInProgress) || hasFaults && faults.physicalIsSilent { return }
        mailbox.insert(.physicalRead)
        if hasFaults, faults.physicalNeverAnswers { return }
        let words = (0..<Igbvf.vmbmem.count).map { registers.read(Igbvf.vmbmem[$0]) }
        var refuses = false
        if hasFaults, faults.refusals > 0, words[0] != Igbvf.MessageHeader(.reset).bits {
            faults.refusals -= 1
            refuses = true
        }
        guard let answer = physical.answer(to: words, refuses: refuses) else { return }
        for (index, word) in answer.enumerated() { registers.store32(word, at: Igbvf.vmbmem[index].offset) }
        mailbox.insert(.physicalWrote)
        announceFilter()
    }
}
