import DeviceMemory
import DeviceModel
import NicRegisters

/// Trapped accesses. Registers are 32 bits: a narrower read gives its part, a narrower write does nothing, 8 bytes are
/// two registers, low one first (QEMU hw/net/e1000e.c mmio_ops: 4-byte implementation).
extension E1000EModel {
    public mutating func readRegion(_ bar: Int, at offset: UInt64, byteCount: Int) -> UInt64 {
        if hasFaults, faults.allOnes { return .max >> UInt64(64 - 8 * min(max(byteCount, 1), 8)) }
        guard let offset = Int(exactly: offset), offset <= E1000E.PCI.registerByteCount - 4 || byteCount < 4 else { return 0 }
        switch byteCount {
        case 4 where offset & 3 == 0:
            return UInt64(readWord(bar, offset))
        case 8 where offset & 3 == 0:
            let low = readWord(bar, offset)
            return UInt64(low) | UInt64(readWord(bar, offset + 4)) << 32
        case 1, 2:
            guard offset & (byteCount - 1) == 0 else { return 0 }
            let word = readWord(bar, offset & ~3) >> UInt32(8 * (offset & 3))
            return UInt64(byteCount == 1 ? word & 0xff : word & 0xffff)
        default:
            return 0
        }
    }

    public mutating func writeRegion(_ bar: Int, at offset: UInt64, _ value: UInt64, byteCount: Int) {
        if hasFaults, faults.allOnes { return }
        guard let offset = Int(exactly: offset), offset <= E1000E.PCI.registerByteCount - 4, offset & 3 == 0 else { return }
        guard byteCount == 4 || byteCount == 8 else { return }
        writeWord(bar, offset, UInt32(truncatingIfNeeded: value))
        if byteCount == 8 { writeWord(bar, offset + 4, UInt32(truncatingIfNeeded: value >> 32)) }
    }

    private mutating func readWord(_ bar: Int, _ offset: Int) -> UInt32 {
        switch bar {
        case E1000E.PCI.registerBAR: return readRegister(offset)
        case E1000E.PCI.ioBAR where offset == 0: return ioAddress
        case E1000E.PCI.ioBAR where offset == 4: return readRegister(Int(ioAddress))
        case E1000E.PCI.msixBAR where msixTable.indices.contains(offset / 4): return msixTable[offset / 4]
        default: return 0
        }
    }

    private mutating func writeWord(_ bar: Int, _ offset: Int, _ value: UInt32) {
        switch bar {
        case E1000E.PCI.registerBAR: writeRegister(offset, value)
        // Register address, in words: the lowest two bits are not there (QEMU e1000e_io_get_reg_index).
        case E1000E.PCI.ioBAR where offset == 0: ioAddress = value & ~3
        case E1000E.PCI.ioBAR where offset == 4: writeRegister(Int(ioAddress), value)
        case E1000E.PCI.msixBAR where msixTable.indices.contains(offset / 4): msixTable[offset / 4] = value
        default: break
        }
    }

    /// Four words a vector, masked (PCI Local Bus 3.0 §6.8.2). Kept for its readers: a host delivers by eventfd.
    static var freshMSIXTable: [UInt32] {
        (0..<E1000E.PCI.msixVectorCount * 4).map { $0 % 4 == 3 ? 1 : 0 }
    }

    // MARK: One register

    mutating func readRegister(_ offset: Int) -> UInt32 {
        if E1000ESharedRegisters.range.contains(UInt64(offset)) { return shared.load32(at: offset) }
        let offset = E1000E.canonicalOffset(offset)
        if E1000ESharedRegisters.range.contains(UInt64(offset)) { return shared.load32(at: offset) }
        guard registers.allows(.read, at: offset) else { return 0 }
        if E1000EStatistics.covers(offset) { return statistics.readAndClear(at: offset) }
        switch offset {
        case E1000E.status.offset: return readStatus().bits
        case E1000E.icr.offset: return readInterruptCauses()
        case E1000E.ims.offset: return interrupt.mask
        case E1000E.eiac.offset: return interrupt.autoClear
        case E1000E.iam.offset: return interrupt.autoMask
        case E1000E.swsm.offset:
            // A read takes the semaphore: whoever reads 0 has it (QEMU e1000e_mac_swsm_read).
            let value = registers.read(E1000E.swsm)
            registers.write(value.union(.semaphore), to: E1000E.swsm)
            return value.bits
        default: return registers.load32(at: offset)
        }
    }

    mutating func writeRegister(_ offset: Int, _ value: UInt32) {
        if E1000ESharedRegisters.range.contains(UInt64(offset)) { return shared.store32(value, at: offset) }
        let offset = E1000E.canonicalOffset(offset)
        if E1000ESharedRegisters.range.contains(UInt64(offset)) { return shared.store32(value, at: offset) }
        if offset == E1000E.status.offset { return writeStatus(E1000E.Status(bits: value)) }
        guard registers.allows(.write, at: offset) else { return }
        if writeInterruptRegister(offset, value) || writeManagementRegister(offset, value) { return }
        registers.store32(value, at: offset)
        switch offset {
        case E1000E.rctl.offset, E1000E.rxcsum.offset, E1000E.rfctl.offset, E1000E.vet.offset:
            updateReceiveSettings()
            updateFilter()
        case E1000E.mrqc.offset: updateReceiveSettings()
        case E1000E.reta[0].offset..<E1000E.reta[0].offset + 4 * E1000E.reta.count,
            E1000E.rssrk[0].offset..<E1000E.rssrk[0].offset + 4 * E1000E.rssrk.count:
            if receive.spreading != nil { updateReceiveSettings() }
        case E1000E.tctl.offset: updateTransmitSettings()
        default:
            if E1000E.ral.index(atOffset: offset) != nil || E1000E.rah.index(atOffset: offset) != nil { updateFilter() }
        }
    }

    /// CTRL, EEPROM and PHY. False: another register.
    private mutating func writeManagementRegister(_ offset: Int, _ value: UInt32) -> Bool {
        switch offset {
        case E1000E.ctrl.offset: writeControl(E1000E.Control(bits: value))
        case E1000E.ctrlExt.offset:
            let kept = E1000E.ExtendedControl(bits: value).subtracting([.autoSpeedCheck, .nvmReset])
            registers.write(kept, to: E1000E.ctrlExt)
            if E1000E.ExtendedControl(bits: value).contains(.nvmReset) {
                loadPermanentAddress()
                updateFilter()
            }
        case E1000E.mdic.offset: writeMDIC(E1000E.MDIControl(bits: value))
        case E1000E.eerd.offset: registers.write(nvm.read(E1000E.NVMRead(bits: value)), to: E1000E.eerd)
        case E1000E.eewr.offset: registers.write(nvm.write(E1000E.NVMRead(bits: value)), to: E1000E.eewr)
        case E1000E.eecd.offset: writeNVMControl(E1000E.NVMControl(bits: value))
        default: return false
        }
        return true
    }

    private mutating func writeNVMControl(_ value: E1000E.NVMControl) {
        let own: E1000E.NVMControl = [.present, .autoReadDone]
        var next = value.subtracting(own).union(registers.read(E1000E.eecd).intersection(own))
        if next.contains(.request) { next.insert(.grant) } else { next.remove(.grant) }
        registers.write(next, to: E1000E.eecd)
    }

    /// RAL0 and RAH0 from NVM, as after power-on.
    mutating func loadPermanentAddress() {
        let address = permanentAddress.littleEndianAddress
        registers.write(UInt32(truncatingIfNeeded: address), to: E1000E.ral[0])
        var high: E1000E.ReceiveAddressHigh = .valid
        high.address = UInt32(truncatingIfNeeded: address >> 32)
        registers.write(high, to: E1000E.rah[0])
    }
}

extension UInt64 {
    /// A 48-bit address with the wire's first byte on top, turned so that this byte is the lowest; and back.
    var littleEndianAddress: UInt64 { byteSwapped >> 16 }
}
