import DeviceModel
import NicRegisters

/// A virtual function as its host sees it, after the host filled in what a VF's own config space leaves to it: ids and BARs
/// (PCI Express SR-IOV 1.1 §3.4; VFIO shows them to its users as here).
///
/// Capabilities: PCI Local Bus 3.0 §6 (header, MSI-X), PCI Express 1.1 §7.8; their places: NicRegisters `Igbvf.PCI`.
let igbvfFunctionDescription: FunctionDescription = {
    var space = ConfigSpaceBuilder()
    let pci = Igbvf.PCI.self
    space.put16(0x00, pci.vendor)
    space.put16(0x02, pci.device)
    space.put16(0x04, 0, writable: 0x0006)
    space.put16(0x06, 0x0010)
    space.put32(0x08, pci.classCode << 8 | 1)
    space.put32(0x10, 0, writable: ~UInt32(pci.registerByteCount - 1))
    space.put32(0x1c, 0, writable: ~UInt32(pci.msixByteCount - 1))
    space.put16(0x2c, pci.vendor)
    space.put8(0x34, UInt8(pci.msixCapability))

    // MSI-X: enable and function mask are the driver's.
    space.capability(pci.msixCapability, id: 0x11, next: pci.pcieCapability)
    space.put16(pci.msixCapability + 2, UInt16(pci.msixVectorCount - 1), writable: 0xc000)
    space.put32(pci.msixCapability + 4, UInt32(pci.msixTableOffset | pci.msixBAR))
    space.put32(pci.msixCapability + 8, UInt32(pci.msixPendingOffset | pci.msixBAR))

    // PCI Express endpoint with function level reset.
    space.capability(pci.pcieCapability, id: 0x10, next: 0)
    space.put16(pci.pcieCapability + 2, 0x0002)
    space.put32(pci.pcieCapability + 4, 0x1000_8cc1)
    space.put16(pci.pcieCapability + 8, 0x0000, writable: 0x8000)
    space.put32(pci.pcieCapability + 12, 0x0000_0c11)
    space.put16(pci.pcieCapability + 18, 0x1011)

    return FunctionDescription(
        config: space.bytes, writableConfigBits: space.writable,
        bars: [
            BARDescription(byteCount: UInt64(pci.registerByteCount), memoryAreas: [E1000ESharedRegisters.range]),
            nil, nil,
            BARDescription(byteCount: UInt64(pci.msixByteCount)),
            nil, nil,
        ],
        msixVectorCount: pci.msixVectorCount, msiVectorCount: 0, hasINTx: false)
}()

extension IgbvfModel {
    /// What every such function looks like; a ``DeviceEnvironment`` is made from it.
    public static var functionDescription: FunctionDescription { igbvfFunctionDescription }

    /// PCI Express 1.1 §7.8.4: Initiate Function Level Reset, in device control's upper byte.
    private static var functionResetByte: Int { Igbvf.PCI.pcieCapability + 9 }

    public mutating func configWritten(at offset: Int, byteCount: Int) {
        let byte = Self.functionResetByte
        guard offset <= byte, byte &- offset < byteCount, environment.config.indices.contains(byte) else { return }
        guard environment.config[byte] & 0x80 != 0 else { return }
        environment.resetToPowerOn()
        reset()
    }
}
