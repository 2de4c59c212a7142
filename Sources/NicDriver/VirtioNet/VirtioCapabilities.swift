import DeviceAccess
import NicRegisters

/// Where a structure is: a piece of a BAR.
struct VirtioLocation: Equatable {
    let bar: Int
    let offset: UInt32
    let byteCount: UInt32
}

/// The structures that a virtio function has in its BARs, found by its capability list (virtio 1.2 "Virtio Structure PCI
/// Capabilities"; linux/virtio_pci.h, struct virtio_pci_cap). The list is the device's: each word is read once and judged.
struct VirtioStructures {
    let common: VirtioStructure
    let notifications: VirtioStructure
    let deviceConfig: VirtioStructure
    /// Bytes from one queue's notification address to the next, in units of its `queue_notify_off`.
    let notifyMultiplier: UInt32
    let fault = VirtioFault()
    /// Where the structures are, in their order here.
    let places: [VirtioCapability]

    /// Maps the first usable structure of each kind.
    init(_ device: any DeviceAccess) throws(DeviceError) {
        places = try VirtioStructures.find(device)
        notifyMultiplier = places[1].notifyMultiplier
        common = try VirtioStructures.open(places[0], device, fault)
        notifications = try VirtioStructures.open(places[1], device, fault)
        deviceConfig = try VirtioStructures.open(places[2], device, fault)
    }

    /// The first usable structure of each kind.
    static func find(_ device: any DeviceAccess) throws(DeviceError) -> [VirtioCapability] {
        let found = try VirtioCapability.walk(device)
        func usable(_ kind: Virtio.StructureKind) throws(DeviceError) -> VirtioCapability {
            for one in found where one.kind == kind {
                if try one.isUsable(on: device) { return one }
            }
            throw .notUsable(
                device: device.url, group: nil,
                reason: "it offers no usable virtio 1 structure '\(kind)' (\(found.count) capabilities seen)",
                fix:
                    "A virtio-net device that is legacy only has none: start it with disable-legacy=on or as virtio-net-pci-non-transitional."
            )
        }
        return [try usable(.common), try usable(.notifications), try usable(.deviceConfig)]
    }

    private static func open(_ one: VirtioCapability, _ device: any DeviceAccess, _ fault: VirtioFault) throws(DeviceError)
        -> VirtioStructure
    {
        VirtioStructure(device, one.location, areas: try device.mapAreas(of: one.location.bar), fault: fault)
    }
}

/// One vendor-specific capability as it stands in config space.
struct VirtioCapability: Equatable {
    let kind: Virtio.StructureKind
    let location: VirtioLocation
    let notifyMultiplier: UInt32

    /// PCI Local Bus 3.0 §6.7: bit 4 of the status register says that there is a list, offset 0x34 where it begins; its
    /// entries lie behind the header, aligned to 4 (linux/pci_regs.h PCI_STATUS_CAP_LIST, PCI_CAPABILITY_LIST).
    /// A list that runs in a circle ends where it meets itself.
    static func walk(_ device: any DeviceAccess) throws(DeviceError) -> [VirtioCapability] {
        guard try device.readConfig(at: 0x06, byteCount: 2) & 0x10 != 0 else { return [] }
        var found: [VirtioCapability] = []
        var seen = Set<Int>()
        var at = Int(try device.readConfig(at: 0x34, byteCount: 1) & 0xfc)
        while at >= 0x40, seen.insert(at).inserted {
            let header = try device.readConfig(at: at, byteCount: 4)
            if header & 0xff == Virtio.Capability.id, let one = try read(device, at: at, header: header) { found.append(one) }
            at = Int(header >> 8 & 0xfc)
        }
        return found
    }

    /// nil for a kind or a BAR that is reserved or not ours, and for one that is shorter than its kind.
    private static func read(_ device: any DeviceAccess, at: Int, header: UInt32) throws(DeviceError) -> VirtioCapability? {
        let byteCount = Int(header >> 16 & 0xff)
        guard let kind = Virtio.StructureKind(rawValue: UInt8(truncatingIfNeeded: header >> 24)) else { return nil }
        let needed = kind == .notifications ? Virtio.Capability.notifyByteCount : Virtio.Capability.byteCount
        guard byteCount >= needed, at + needed <= 256 else { return nil }
        let bar = Int(try device.readConfig(at: at + Virtio.Capability.barOffset, byteCount: 1))
        guard bar < 6 else { return nil }
        let offset = try device.readConfig(at: at + Virtio.Capability.structureOffset, byteCount: 4)
        let length = try device.readConfig(at: at + Virtio.Capability.structureLength, byteCount: 4)
        let multiplier = kind == .notifications ? try device.readConfig(at: at + Virtio.Capability.notifyMultiplier, byteCount: 4) : 0
        return VirtioCapability(
            kind: kind, location: VirtioLocation(bar: bar, offset: offset, byteCount: length), notifyMultiplier: multiplier)
    }

    /// The fields that this driver touches need so many bytes.
    private var minimumByteCount: UInt32 {
        switch kind {
        case .common: UInt32(Virtio.Common.byteCount)
        case .deviceConfig: UInt32(VirtioNet.Config.status.end)
        default: 2
        }
    }

    /// Long enough, aligned, and inside its BAR.
    func isUsable(on device: any DeviceAccess) throws(DeviceError) -> Bool {
        let alignment: UInt32 = kind == .notifications ? 2 : 4
        guard location.byteCount >= minimumByteCount, location.offset & (alignment - 1) == 0 else { return false }
        let size = try device.regionInfo(location.bar).byteCount
        return UInt64(location.offset) + UInt64(location.byteCount) <= size
    }
}
