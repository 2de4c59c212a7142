public import DeviceModel
import NicRegisters

/// The 82574L as its host sees it: config space, BARs, vectors.
///
/// Capabilities: PCI Local Bus 3.0 §6 (header, MSI, MSI-X), PCI Power Management 1.2 §3.2, PCI Express 1.1 §7.8; their
/// places: NicRegisters `E1000E.PCI`. BAR 1 (flash) is absent: Linux maps it for ICH parts only (FLAG_HAS_FLASH is not
/// among the flags of e1000_82574_info, drivers/net/ethernet/intel/e1000e/82571.c).
let e1000eFunctionDescription: FunctionDescription = {
    let pci = E1000E.PCI.self
    var space = ConfigSpaceBuilder(
        PCIIdentity(vendor: pci.vendor, device: pci.device, classCode: pci.classCode, subsystemVendor: pci.vendor), hasINTx: true)
    space.add(BARDescription(byteCount: UInt64(pci.registerByteCount), memoryAreas: [E1000ESharedRegisters.range]), asBAR: 0)
    space.add(BARDescription(byteCount: UInt64(pci.ioByteCount), isIO: true), asBAR: 2)
    space.add(BARDescription(byteCount: UInt64(pci.msixByteCount)), asBAR: pci.msixBAR)
    space.add(.powerManagement(needsInitialization: true, hasWakeUpBit: true), at: pci.powerCapability)
    space.add(.msi(), at: pci.msiCapability)
    space.add(.pciExpress(), at: pci.pcieCapability)
    space.add(
        .msix(
            vectorCount: pci.msixVectorCount, table: (pci.msixBAR, pci.msixTableOffset), pending: (pci.msixBAR, pci.msixPendingOffset)),
        at: pci.msixCapability)
    return space.function
}()

extension E1000EModel {
    /// What every 82574L looks like; a ``DeviceEnvironment`` is made from it.
    public static var functionDescription: FunctionDescription { e1000eFunctionDescription }

    public mutating func configWritten(at offset: Int, byteCount: Int) {
        let config = environment.config
        guard config.count >= 256 else { return }
        if environment.isResetWanted(pciExpressAt: E1000E.PCI.pcieCapability, writtenAt: offset, byteCount: byteCount) {
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
