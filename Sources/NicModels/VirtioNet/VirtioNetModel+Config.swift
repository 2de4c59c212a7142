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
        // PCI Express 1.1 §7.8.4: Initiate Function Level Reset, in device control's upper byte.
        let reset = Place.pcieCapability + 9
        if touches(reset..<reset + 1), environment.config[reset] & 0x80 != 0 {
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
    var space = ConfigSpaceBuilder()
    space.put16(0x00, Virtio.PCI.vendor)
    space.put16(0x02, Virtio.PCI.networkDevice)
    space.put16(0x04, 0, writable: 0x0547)
    space.put16(0x06, 0x0010)
    // Base class 2, subclass 0, interface 0: Ethernet controller; revision below.
    space.put32(0x08, 0x02_0000 << 8 | UInt32(Virtio.PCI.minimumRevision))
    space.put8(0x0c, 0, writable: 0xff)
    space.put32(0x10, 0, writable: ~UInt32(place.byteCount - 1))
    space.put32(0x14, 0, writable: ~UInt32(place.msixByteCount - 1))
    space.put16(0x2c, Virtio.PCI.vendor)
    space.put16(0x2e, Virtio.PCI.minimumSubsystemDevice)
    space.put8(0x34, UInt8(place.msixCapability))
    space.put8(0x3c, 0, writable: 0xff)
    space.put8(0x3d, 1)

    space.capability(place.msixCapability, id: 0x11, next: place.commonCapability)
    space.put16(place.msixCapability + 2, UInt16(options.vectorCount - 1), writable: 0xc000)
    space.put32(place.msixCapability + 4, UInt32(place.msixBAR))
    space.put32(place.msixCapability + 8, UInt32(place.msixPending | place.msixBAR))

    let common = VirtioStructurePlace(.common, at: place.common, byteCount: Virtio.Common.fullByteCount)
    space.virtio(place.commonCapability, common, next: place.notifyCapability)
    let notifications = VirtioStructurePlace(
        .notifications, at: place.notifications, byteCount: options.queueCount * place.notifyMultiplier)
    space.virtio(
        place.notifyCapability, notifications, byteCount: Virtio.Capability.notifyByteCount, next: place.interruptStatusCapability)
    space.put32(place.notifyCapability + Virtio.Capability.notifyMultiplier, UInt32(place.notifyMultiplier))
    let status = VirtioStructurePlace(.interruptStatus, at: place.interruptStatus, byteCount: 1)
    space.virtio(place.interruptStatusCapability, status, next: place.deviceCapability)
    let device = VirtioStructurePlace(.deviceConfig, at: place.device, byteCount: VirtioNet.Config.byteCount)
    space.virtio(place.deviceCapability, device, next: place.accessCapability)

    // The driver chooses where it looks: BAR, offset, length and data are its own.
    let access = place.accessCapability
    space.virtio(
        access, VirtioStructurePlace(.configAccess, at: 0, byteCount: 0), byteCount: Virtio.Capability.accessByteCount,
        next: place.powerCapability)
    space.put8(access + Virtio.Capability.barOffset, 0, writable: 0xff)
    space.put32(access + Virtio.Capability.structureOffset, 0, writable: ~0)
    space.put32(access + Virtio.Capability.structureLength, 0, writable: ~0)
    space.put32(access + Virtio.Capability.accessData, 0, writable: ~0)

    // Power management, version 2; power state.
    space.capability(place.powerCapability, id: 0x01, next: place.pcieCapability)
    space.put16(place.powerCapability + 2, 0x0002)
    space.put16(place.powerCapability + 4, 0, writable: 0x0003)

    // PCI Express 1.1 endpoint with function level reset; 256-byte payloads, one lane of 2.5 GT/s.
    space.capability(place.pcieCapability, id: 0x10, next: 0)
    space.put16(place.pcieCapability + 2, 0x0001)
    space.put32(place.pcieCapability + 4, 0x1000_8cc1)
    space.put16(place.pcieCapability + 8, 0x2810, writable: 0xf8ff)
    space.put32(place.pcieCapability + 12, 0x0000_0c11)
    space.put16(place.pcieCapability + 16, 0, writable: 0x00c3)
    space.put16(place.pcieCapability + 18, 0x1011)

    let notificationPage = UInt64(place.notifications)..<UInt64(place.notifications) + 0x1000
    return FunctionDescription(
        config: space.bytes, writableConfigBits: space.writable,
        bars: [
            BARDescription(byteCount: UInt64(place.byteCount), memoryAreas: [notificationPage]),
            BARDescription(byteCount: UInt64(place.msixByteCount)),
            nil, nil, nil, nil,
        ],
        msixVectorCount: options.vectorCount, msiVectorCount: 0, hasINTx: true)
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

extension ConfigSpaceBuilder {
    /// struct virtio_pci_cap.
    fileprivate mutating func virtio(
        _ at: Int, _ place: VirtioStructurePlace, byteCount: Int = Virtio.Capability.byteCount, next: Int
    ) {
        capability(at, id: Virtio.Capability.id, next: next)
        put8(at + Virtio.Capability.lengthOffset, UInt8(byteCount))
        put8(at + Virtio.Capability.kindOffset, place.kind.rawValue)
        put8(at + Virtio.Capability.barOffset, UInt8(VirtioNetPlace.bar))
        put32(at + Virtio.Capability.structureOffset, UInt32(place.offset))
        put32(at + Virtio.Capability.structureLength, UInt32(place.byteCount))
    }
}
