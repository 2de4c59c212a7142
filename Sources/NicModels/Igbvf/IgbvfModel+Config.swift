import DeviceModel
import NicRegisters

/// A virtual function as its host sees it, after the host filled in what a VF's own config space leaves to it: ids and BARs
/// (PCI Express SR-IOV 1.1 §3.4; VFIO shows them to its users as here).
///
/// Capabilities: PCI Local Bus 3.0 §6 (header, MSI-X), PCI Express 1.1 §7.8; their places: NicRegisters `Igbvf.PCI`.
let igbvfFunctionDescription: FunctionDescription = {
    let pci = Igbvf.PCI.self
    var space = ConfigSpaceBuilder(
        PCIIdentity(vendor: pci.vendor, device: pci.device, classCode: pci.classCode, revision: 1, subsystemVendor: pci.vendor),
        hasINTx: false, isVirtual: true)
    space.add(BARDescription(byteCount: UInt64(pci.registerByteCount), memoryAreas: [E1000ESharedRegisters.range]), asBAR: 0)
    space.add(BARDescription(byteCount: UInt64(pci.msixByteCount)), asBAR: pci.msixBAR)
    space.add(
        .msix(
            vectorCount: pci.msixVectorCount, table: (pci.msixBAR, pci.msixTableOffset), pending: (pci.msixBAR, pci.msixPendingOffset)),
        at: pci.msixCapability)
    space.add(.pciExpress(version: 2, isVirtual: true), at: pci.pcieCapability)
    return space.function
}()

extension IgbvfModel {
    /// What every such function looks like; a ``DeviceEnvironment`` is made from it.
    public static var functionDescription: FunctionDescription { igbvfFunctionDescription }

    public mutating func configWritten(at offset: Int, byteCount: Int) {
        guard environment.isResetWanted(pciExpressAt: Igbvf.PCI.pcieCapability, writtenAt: offset, byteCount: byteCount) else { return }
        environment.resetToPowerOn()
        reset()
    }
}
