public import DeviceModel
import NicRegisters

extension VirtioOffer {
    /// The function as its host sees it: config space, BARs, vectors.
    ///
    /// Capabilities: PCI Local Bus 3.0 §6 (header, MSI-X), PCI Power Management 1.2 §3.2, PCI Express 1.1 §7.8, and virtio
    /// "Virtio Structure PCI Capabilities". A ``DeviceEnvironment`` is made from it.
    public func functionDescription() -> FunctionDescription {
        let place = VirtioPlace.self
        let identity = PCIIdentity(
            vendor: Virtio.PCI.vendor, device: device, classCode: classCode, revision: Virtio.PCI.minimumRevision,
            subsystemVendor: Virtio.PCI.vendor, subsystemDevice: Virtio.PCI.minimumSubsystemDevice)
        var space = ConfigSpaceBuilder(identity, hasINTx: true)
        space.add(structuresBAR, asBAR: place.bar)
        space.add(BARDescription(byteCount: UInt64(place.msixByteCount)), asBAR: place.msixBAR)
        space.add(
            .msix(vectorCount: vectorCount, table: (place.msixBAR, 0), pending: (place.msixBAR, place.msixPending)),
            at: place.msixCapability)
        addStructures(to: &space)
        space.add(.powerManagement(), at: place.powerCapability)
        space.add(.pciExpress(isIntegrated: isRootComplexIntegrated), at: place.pcieCapability)
        return space.function
    }

    private var structuresBAR: BARDescription {
        let notifications = UInt64(VirtioPlace.notifications)
        var bar = BARDescription(byteCount: UInt64(VirtioPlace.byteCount))
        if mapsNotifications {
            bar.memoryAreas = [notifications..<notifications + 0x1000]
        } else {
            bar.notifyRegisters = queueSizes.indices.map { notifications + UInt64($0 * VirtioPlace.notifyMultiplier) }
        }
        return bar
    }

    private func addStructures(to space: inout ConfigSpaceBuilder) {
        let place = VirtioPlace.self
        space.add(.virtio(.common, at: place.common, structureByteCount: Virtio.Common.fullByteCount), at: place.commonCapability)
        var notify = PCICapability.virtio(
            .notifications, at: place.notifications, structureByteCount: queueSizes.count * place.notifyMultiplier,
            byteCount: Virtio.Capability.notifyByteCount)
        notify.put32(Virtio.Capability.notifyMultiplier, UInt32(place.notifyMultiplier))
        space.add(notify, at: place.notifyCapability)
        space.add(.virtio(.interruptStatus, at: place.interruptStatus, structureByteCount: 1), at: place.interruptStatusCapability)
        space.add(.virtio(.deviceConfig, at: place.device, structureByteCount: configByteCount), at: place.deviceCapability)

        // The driver chooses where it looks: BAR, offset, length and data are its own.
        var access = PCICapability.virtio(.configAccess, at: 0, structureByteCount: 0, byteCount: Virtio.Capability.accessByteCount)
        access.put8(Virtio.Capability.barOffset, 0, writable: 0xff)
        access.put32(Virtio.Capability.structureOffset, 0, writable: ~0)
        access.put32(Virtio.Capability.structureLength, 0, writable: ~0)
        access.put32(Virtio.Capability.accessData, 0, writable: ~0)
        space.add(access, at: place.accessCapability)
    }
}

extension PCICapability {
    /// struct virtio_pci_cap, a capability of the vendor's own: a structure and its place in BAR 0.
    fileprivate static func virtio(
        _ kind: Virtio.StructureKind, at offset: Int, structureByteCount: Int, byteCount: Int = Virtio.Capability.byteCount
    ) -> PCICapability {
        var capability = PCICapability.vendor(byteCount: byteCount)
        capability.put8(Virtio.Capability.kindOffset, kind.rawValue)
        capability.put8(Virtio.Capability.barOffset, UInt8(VirtioPlace.bar))
        capability.put32(Virtio.Capability.structureOffset, UInt32(offset))
        capability.put32(Virtio.Capability.structureLength, UInt32(structureByteCount))
        return capability
    }
}
