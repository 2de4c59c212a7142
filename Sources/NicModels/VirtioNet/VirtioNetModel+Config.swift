public import DeviceModel
import NicRegisters

extension VirtioNetModel {
    /// The function as its host sees it: config space, BARs, vectors.
    ///
    /// Capabilities: PCI Local Bus 3.0 §6 (header, MSI-X), PCI Power Management 1.2 §3.2, PCI Express 1.1 §7.8, and virtio
    /// "Virtio Structure PCI Capabilities". A ``DeviceEnvironment`` is made from it.
    public static func functionDescription(_ options: VirtioNetOptions = VirtioNetOptions()) -> FunctionDescription {
        virtioNetFunctionDescription(options)
    }

    typealias Place = VirtioNetPlace

    // MARK: What the driver writes

    public mutating func configWritten(at offset: Int, byteCount: Int) {
        func touches(_ bytes: Range<Int>) -> Bool { offset < bytes.upperBound && bytes.lowerBound - offset < byteCount }
        guard environment.config.count >= 256, offset >= 0 else { return }
        if environment.isResetWanted(pciExpressAt: Place.pcieCapability, writtenAt: offset, byteCount: byteCount) {
            environment.resetToPowerOn()
            self.reset()
            return
        }
        // PCI Power Management 1.2 §3.2.4: without No_Soft_Reset, D3hot to D0 loses the state.
        let state = environment.config[Place.powerCapability + 4] & 3
        if powerState == 3, state == 0 { resetDevice() }
        powerState = state
        updateMemoryAccess()
        let data = Place.accessCapability + Virtio.Capability.accessData
        if touches(data..<data + 4), let window = accessWindow {
            writeRegion(window.bar, at: window.offset, UInt64(configWord(data)), byteCount: window.byteCount)
        }
    }

    /// "PCI configuration access capability": a read of its data reads the BAR.
    public mutating func configWillBeRead(at offset: Int, byteCount: Int) {
        let data = Place.accessCapability + Virtio.Capability.accessData
        guard environment.config.count >= 256, offset >= 0, offset < data + 4, data - offset < byteCount, let window = accessWindow
        else { return }
        let value = readRegion(window.bar, at: window.offset, byteCount: window.byteCount)
        for index in 0..<window.byteCount { environment.config[data + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
    }

    /// Where the capability's data looks into a BAR; nil for what the specification forbids.
    private var accessWindow: (bar: Int, offset: UInt64, byteCount: Int)? {
        let start = Place.accessCapability
        let length = configWord(start + Virtio.Capability.structureLength)
        let offset = configWord(start + Virtio.Capability.structureOffset)
        guard length == 1 || length == 2 || length == 4, offset & (length - 1) == 0,
            Int(environment.config[start + Virtio.Capability.barOffset]) == Place.bar, offset < UInt32(Place.byteCount)
        else { return nil }
        return (Place.bar, UInt64(offset), Int(length))
    }

    private func configWord(_ offset: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(environment.config[offset + $1]) << UInt32(8 * $1) }
    }
}

/// Where things are: capabilities in config space, structures in BAR 0 (a page each; that of the notifications is memory),
/// MSI-X in BAR 1.
enum VirtioNetPlace {
    static var bar: Int { 0 }
    static var byteCount: Int { 0x4000 }
    static var common: Int { 0x0000 }
    static var interruptStatus: Int { 0x1000 }
    static var device: Int { 0x2000 }
    static var notifications: Int { 0x3000 }
    static var msixBAR: Int { 1 }
    static var msixByteCount: Int { 0x1000 }
    static var msixPending: Int { 0x800 }
    /// Bytes from one queue's notification address to the next.
    static var notifyMultiplier: Int { 4 }

    static var msixCapability: Int { 0x40 }
    static var commonCapability: Int { 0x50 }
    static var notifyCapability: Int { 0x60 }
    static var interruptStatusCapability: Int { 0x74 }
    static var deviceCapability: Int { 0x84 }
    static var accessCapability: Int { 0x94 }
    static var powerCapability: Int { 0xa8 }
    static var pcieCapability: Int { 0xb0 }
}

private func virtioNetFunctionDescription(_ options: VirtioNetOptions) -> FunctionDescription {
    let place = VirtioNetPlace.self
    // Base class 2, subclass 0, interface 0: Ethernet controller.
    let identity = PCIIdentity(
        vendor: Virtio.PCI.vendor, device: Virtio.PCI.networkDevice, classCode: 0x02_0000, revision: Virtio.PCI.minimumRevision,
        subsystemVendor: Virtio.PCI.vendor, subsystemDevice: Virtio.PCI.minimumSubsystemDevice)
    var space = ConfigSpaceBuilder(identity, hasINTx: true)
    let notificationPage = UInt64(place.notifications)..<UInt64(place.notifications) + 0x1000
    space.add(BARDescription(byteCount: UInt64(place.byteCount), memoryAreas: [notificationPage]), asBAR: place.bar)
    space.add(BARDescription(byteCount: UInt64(place.msixByteCount)), asBAR: place.msixBAR)
    space.add(
        .msix(vectorCount: options.vectorCount, table: (place.msixBAR, 0), pending: (place.msixBAR, place.msixPending)),
        at: place.msixCapability)

    let common = VirtioStructurePlace(.common, at: place.common, byteCount: Virtio.Common.fullByteCount)
    space.add(.virtio(common), at: place.commonCapability)
    let notifications = VirtioStructurePlace(
        .notifications, at: place.notifications, byteCount: options.queueCount * place.notifyMultiplier)
    var notify = PCICapability.virtio(notifications, byteCount: Virtio.Capability.notifyByteCount)
    notify.put32(Virtio.Capability.notifyMultiplier, UInt32(place.notifyMultiplier))
    space.add(notify, at: place.notifyCapability)
    let status = VirtioStructurePlace(.interruptStatus, at: place.interruptStatus, byteCount: 1)
    space.add(.virtio(status), at: place.interruptStatusCapability)
    let device = VirtioStructurePlace(.deviceConfig, at: place.device, byteCount: VirtioNet.Config.byteCount)
    space.add(.virtio(device), at: place.deviceCapability)

    // The driver chooses where it looks: BAR, offset, length and data are its own.
    var access = PCICapability.virtio(
        VirtioStructurePlace(.configAccess, at: 0, byteCount: 0), byteCount: Virtio.Capability.accessByteCount)
    access.put8(Virtio.Capability.barOffset, 0, writable: 0xff)
    access.put32(Virtio.Capability.structureOffset, 0, writable: ~0)
    access.put32(Virtio.Capability.structureLength, 0, writable: ~0)
    access.put32(Virtio.Capability.accessData, 0, writable: ~0)
    space.add(access, at: place.accessCapability)

    space.add(.powerManagement(), at: place.powerCapability)
    space.add(.pciExpress(), at: place.pcieCapability)
    return space.function
}

/// A structure and its place in BAR 0.
private struct VirtioStructurePlace {
    let kind: Virtio.StructureKind
    let offset: Int
    let byteCount: Int
    init(_ kind: Virtio.StructureKind, at offset: Int, byteCount: Int) {
        self.kind = kind
        self.offset = offset
        self.byteCount = byteCount
    }
}

extension PCICapability {
    /// struct virtio_pci_cap, a capability of the vendor's own.
    fileprivate static func virtio(_ place: VirtioStructurePlace, byteCount: Int = Virtio.Capability.byteCount) -> PCICapability {
        var capability = PCICapability.vendor(byteCount: byteCount)
        capability.put8(Virtio.Capability.kindOffset, place.kind.rawValue)
        capability.put8(Virtio.Capability.barOffset, UInt8(VirtioNetPlace.bar))
        capability.put32(Virtio.Capability.structureOffset, UInt32(place.offset))
        capability.put32(Virtio.Capability.structureLength, UInt32(place.byteCount))
        return capability
    }
}
