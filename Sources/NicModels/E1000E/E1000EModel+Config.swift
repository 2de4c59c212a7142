public import DeviceModel
import NicRegisters

/// The 82574L as its host sees it: config space, BARs, vectors.
///
/// Capabilities: PCI Local Bus 3.0 §6 (header, MSI, MSI-X), PCI Power Management 1.2 §3.2, PCI Express 1.1 §7.8; their
/// places: NicRegisters `E1000E.PCI`. BAR 1 (flash) is absent: Linux maps it for ICH parts only (FLAG_HAS_FLASH is not
/// among the flags of e1000_82574_info, drivers/net/ethernet/intel/e1000e/82571.c).
let e1000eFunctionDescription: FunctionDescription = {
    var space = ConfigSpaceBuilder()
    let pci = E1000E.PCI.self
    space.put16(0x00, pci.vendor)
    space.put16(0x02, pci.device)
    space.put16(0x04, 0, writable: 0x0547)
    space.put16(0x06, 0x0010)
    space.put32(0x08, pci.classCode << 8)
    space.put8(0x0c, 0, writable: 0xff)
    space.put32(0x10, 0, writable: ~UInt32(pci.registerByteCount - 1))
    space.put32(0x18, 1, writable: ~UInt32(pci.ioByteCount - 1))
    space.put32(0x1c, 0, writable: ~UInt32(pci.msixByteCount - 1))
    space.put16(0x2c, pci.vendor)
    space.put8(0x34, UInt8(pci.powerCapability))
    space.put8(0x3c, 0, writable: 0xff)
    space.put8(0x3d, 1)

    // Power management, version 2; power state and PME enable.
    space.capability(pci.powerCapability, id: 0x01, next: pci.msiCapability)
    space.put16(pci.powerCapability + 2, 0x0022)
    space.put16(pci.powerCapability + 4, 0, writable: 0x0103)

    // MSI: one vector, 64-bit address.
    space.capability(pci.msiCapability, id: 0x05, next: pci.pcieCapability)
    space.put16(pci.msiCapability + 2, 0x0080, writable: 0x0001)
    space.put32(pci.msiCapability + 4, 0, writable: ~3)
    space.put32(pci.msiCapability + 8, 0, writable: ~0)
    space.put16(pci.msiCapability + 12, 0, writable: 0xffff)

    // PCI Express 1.1 endpoint with function level reset; 256-byte payloads, one lane of 2.5 GT/s.
    space.capability(pci.pcieCapability, id: 0x10, next: pci.msixCapability)
    space.put16(pci.pcieCapability + 2, 0x0001)
    space.put32(pci.pcieCapability + 4, 0x1000_8cc1)
    space.put16(pci.pcieCapability + 8, 0x2810, writable: 0xf8ff)
    space.put32(pci.pcieCapability + 12, 0x0000_0c11)
    space.put16(pci.pcieCapability + 16, 0, writable: 0x00c3)
    space.put16(pci.pcieCapability + 18, 0x1011)

    // MSI-X: enable and function mask are the driver's.
    space.capability(pci.msixCapability, id: 0x11, next: 0)
    space.put16(pci.msixCapability + 2, UInt16(pci.msixVectorCount - 1), writable: 0xc000)
    space.put32(pci.msixCapability + 4, UInt32(pci.msixTableOffset | pci.msixBAR))
    space.put32(pci.msixCapability + 8, UInt32(pci.msixPendingOffset | pci.msixBAR))

    return FunctionDescription(
        config: space.bytes, writableConfigBits: space.writable,
        bars: [
            BARDescription(byteCount: UInt64(pci.registerByteCount), memoryAreas: [E1000ESharedRegisters.range]),
            nil,
            BARDescription(byteCount: UInt64(pci.ioByteCount), isIO: true),
            BARDescription(byteCount: UInt64(pci.msixByteCount)),
            nil, nil,
        ],
        msixVectorCount: pci.msixVectorCount, msiVectorCount: 1, hasINTx: true)
}()

extension E1000EModel {
    /// What every 82574L looks like; a ``DeviceEnvironment`` is made from it.
    public static var functionDescription: FunctionDescription { e1000eFunctionDescription }

    /// PCI Express 1.1 §7.8.4: Initiate Function Level Reset, in device control's upper byte.
    private static var functionResetByte: Int { E1000E.PCI.pcieCapability + 9 }

    public mutating func configWritten(at offset: Int, byteCount: Int) {
        func touches(_ byte: Int) -> Bool { offset <= byte && byte &- offset < byteCount }
        let config = environment.config
        guard config.count >= 256 else { return }
        if touches(E1000EModel.functionResetByte), config[E1000EModel.functionResetByte] & 0x80 != 0 {
            environment.resetToPowerOn()
            reset()
            return
        }
        // PCI Power Management 1.2 §3.2.4: without No_Soft_Reset, D3hot to D0 loses the state.
        let state = config[E1000E.PCI.powerCapability + 4] & 3
        if powerState == 3, state == 0 { resetController() }
        powerState = state
        updateMemoryAccess()
    }

    /// DMA and messages need bus mastering (PCI Local Bus 3.0 §6.2.2), and that the driver did not disable requests.
    mutating func updateMemoryAccess() {
        mayAccessMemory = environment.isBusMaster && !registers.read(E1000E.ctrl).contains(.gioMasterDisable)
    }
}
