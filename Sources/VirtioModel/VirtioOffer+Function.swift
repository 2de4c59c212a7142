public import DeviceModel
import NicRegisters

extension VirtioOffer {
    /// The function as its host sees it: config space, BARs, vectors.
    ///
    /// Capabilities: PCI Local Bus 3.0 §6 (header, MSI-X), PCI Power Management 1.2 §3.2, PCI Express 1.1 §7.8, and virtio
    /// "Virtio Structure PCI Capabilities". A ``DeviceEnvironment`` is made from it.
    public func functionDescription() -> FunctionDescription {
        let place = VirtioPlace.self
        var space = ConfigSpaceBuilder()
        putHeader(&space)
        putStructures(&space)
        putPowerAndExpress(&space)
        let notifications = UInt64(place.notifications)
        var bar = BARDescription(byteCount: UInt64(place.byteCount))
        if mapsNotifications {
            bar.memoryAreas = [notifications..<notifications + 0x1000]
        } else {
            bar.notifyRegisters = queueSizes.indices.map { notifications + UInt64($0 * place.notifyMultiplier) }
        }
        return FunctionDescription(
            config: space.bytes, writableConfigBits: space.writable,
            bars: [bar, BARDescription(byteCount: UInt64(place.msixByteCount)), nil, nil, nil, nil],
            msixVectorCount: vectorCount, msiVectorCount: 0, hasINTx: true)
    }

    private func putHeader(_ space: inout ConfigSpaceBuilder) {
        let place = VirtioPlace.self
        space.put16(0x00, Virtio.PCI.vendor)
        space.put16(0x02, device)
        space.put16(0x04, 0, writable: 0x0547)
        space.put16(0x06, 0x0010)
        // Class code; revision below.
        space.put32(0x08, classCode << 8 | UInt32(Virtio.PCI.minimumRevision))
        space.put8(0x0c, 0, writable: 0xff)
        space.put32(0x10, 0, writable: ~UInt32(place.byteCount - 1))
        space.put32(0x14, 0, writable: ~UInt32(place.msixByteCount - 1))
        space.put16(0x2c, Virtio.PCI.vendor)
        space.put16(0x2e, Virtio.PCI.minimumSubsystemDevice)
        space.put8(0x34, UInt8(place.msixCapability))
        space.put8(0x3c, 0, writable: 0xff)
        space.put8(0x3d, 1)

        space.capability(place.msixCapability, id: 0x11, next: place.commonCapability)
        space.put16(place.msixCapability + 2, UInt16(vectorCount - 1), writable: 0xc000)
        space.put32(place.msixCapability + 4, UInt32(place.msixBAR))
        space.put32(place.msixCapability + 8, UInt32(place.msixPending | place.msixBAR))
    }

    private func putStructures(_ space: inout ConfigSpaceBuilder) {
        let place = VirtioPlace.self
        let common = StructurePlace(.common, at: place.common, byteCount: Virtio.Common.fullByteCount)
        space.virtio(place.commonCapability, common, next: place.notifyCapability)
        let notifications = StructurePlace(.notifications, at: place.notifications, byteCount: queueSizes.count * place.notifyMultiplier)
        space.virtio(
            place.notifyCapability, notifications, byteCount: Virtio.Capability.notifyByteCount, next: place.interruptStatusCapability)
        space.put32(place.notifyCapability + Virtio.Capability.notifyMultiplier, UInt32(place.notifyMultiplier))
        let status = StructurePlace(.interruptStatus, at: place.interruptStatus, byteCount: 1)
        space.virtio(place.interruptStatusCapability, status, next: place.deviceCapability)
        let device = StructurePlace(.deviceConfig, at: place.device, byteCount: configByteCount)
        space.virtio(place.deviceCapability, device, next: place.accessCapability)

        // The driver chooses where it looks: BAR, offset, length and data are its own.
        let access = place.accessCapability
        space.virtio(
            access, StructurePlace(.configAccess, at: 0, byteCount: 0), byteCount: Virtio.Capability.accessByteCount,
            next: place.powerCapability)
        space.put8(access + Virtio.Capability.barOffset, 0, writable: 0xff)
        space.put32(access + Virtio.Capability.structureOffset, 0, writable: ~0)
        space.put32(access + Virtio.Capability.structureLength, 0, writable: ~0)
        space.put32(access + Virtio.Capability.accessData, 0, writable: ~0)
    }

    private func putPowerAndExpress(_ space: inout ConfigSpaceBuilder) {
        let place = VirtioPlace.self
        // Power management, version 2; power state.
        space.capability(place.powerCapability, id: 0x01, next: place.pcieCapability)
        space.put16(place.powerCapability + 2, 0x0002)
        space.put16(place.powerCapability + 4, 0, writable: 0x0003)

        // PCI Express 1.1 endpoint with function level reset; 256-byte payloads, one lane of 2.5 GT/s. §7.8.2: port type in
        // bits 7:4, 9 is a root complex integrated endpoint, whose link registers are zero.
        space.capability(place.pcieCapability, id: 0x10, next: 0)
        space.put16(place.pcieCapability + 2, isRootComplexIntegrated ? 0x0091 : 0x0001)
        space.put32(place.pcieCapability + 4, 0x1000_8cc1)
        space.put16(place.pcieCapability + 8, 0x2810, writable: 0xf8ff)
        guard !isRootComplexIntegrated else { return }
        space.put32(place.pcieCapability + 12, 0x0000_0c11)
        space.put16(place.pcieCapability + 16, 0, writable: 0x00c3)
        space.put16(place.pcieCapability + 18, 0x1011)
    }
}

/// A structure and its place in BAR 0.
private struct StructurePlace {
    let kind: Virtio.StructureKind
    let offset: Int
    let byteCount: Int
    init(_ kind: Virtio.StructureKind, at offset: Int, byteCount: Int) {
        self.kind = kind
        self.offset = offset
        self.byteCount = byteCount
    }
}

extension ConfigSpaceBuilder {
    /// struct virtio_pci_cap.
    fileprivate mutating func virtio(_ at: Int, _ place: StructurePlace, byteCount: Int = Virtio.Capability.byteCount, next: Int) {
        capability(at, id: Virtio.Capability.id, next: next)
        put8(at + Virtio.Capability.lengthOffset, UInt8(byteCount))
        put8(at + Virtio.Capability.kindOffset, place.kind.rawValue)
        put8(at + Virtio.Capability.barOffset, UInt8(VirtioPlace.bar))
        put32(at + Virtio.Capability.structureOffset, UInt32(place.offset))
        put32(at + Virtio.Capability.structureLength, UInt32(place.byteCount))
    }
}
