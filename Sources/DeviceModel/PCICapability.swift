/// One entry of a function's capability list (PCI Local Bus 3.0 §6.7): an id, a link that ``ConfigSpaceBuilder`` sets, and what
/// the id stands for. Offsets are from the capability's first byte.
public struct PCICapability: Sendable {
    var bytes: [UInt8]
    var writable: [UInt8]
    private(set) var msiVectorCount = 0
    private(set) var msixVectorCount = 0

    public var byteCount: Int { bytes.count }

    /// Zeroes that the driver cannot write.
    /// - Parameter byteCount: the whole, with id and link.
    public init(id: UInt8, byteCount: Int) {
        precondition((2...0xc0).contains(byteCount), "\(byteCount) bytes have no room in a list of capabilities")
        bytes = [id, 0] + [UInt8](repeating: 0, count: byteCount - 2)
        writable = [UInt8](repeating: 0, count: byteCount)
    }

    /// Sets a byte behind id and link, and which of its bits the driver may write.
    public mutating func put8(_ offset: Int, _ value: UInt8, writable mask: UInt8 = 0) {
        precondition(offset >= 2, "id and link are not a model's to set")
        bytes[offset] = value
        writable[offset] = mask
    }
    /// Little-endian, as all of config space.
    public mutating func put16(_ offset: Int, _ value: UInt16, writable mask: UInt16 = 0) {
        put8(offset, UInt8(value & 0xff), writable: UInt8(mask & 0xff))
        put8(offset + 1, UInt8(value >> 8), writable: UInt8(mask >> 8))
    }
    public mutating func put32(_ offset: Int, _ value: UInt32, writable mask: UInt32 = 0) {
        put16(offset, UInt16(value & 0xffff), writable: UInt16(mask & 0xffff))
        put16(offset + 2, UInt16(value >> 16), writable: UInt16(mask >> 16))
    }

    /// Power management (PCI Power Management 1.2 §3.2): states D0 and D3hot. Without No_Soft_Reset (§3.2.4) the model forgets
    /// its state on the way from D3hot to D0.
    /// - Parameters:
    ///   - needsInitialization: PMC's bit 5, DSI (§3.2.3): a driver has more to do than to set D0.
    ///   - hasWakeUpBit: PMCSR's bit 8, PME_En (§3.2.4), can be written.
    public static func powerManagement(needsInitialization: Bool = false, hasWakeUpBit: Bool = false) -> PCICapability {
        var capability = PCICapability(id: 0x01, byteCount: 8)
        // PMC: version 2 of the registers.
        capability.put16(2, needsInitialization ? 0x0022 : 0x0002)
        capability.put16(4, 0, writable: hasWakeUpBit ? 0x0103 : 0x0003)
        return capability
    }

    /// MSI with addresses of 64 bits (PCI Local Bus 3.0 §6.8.1).
    /// - Parameter vectorCount: 1, 2, 4, 8, 16 or 32 (§6.8.1.3, Multiple Message Capable).
    public static func msi(vectorCount: Int = 1) -> PCICapability {
        precondition((1...32).contains(vectorCount) && vectorCount.nonzeroBitCount == 1, "MSI has no \(vectorCount) vectors")
        var capability = PCICapability(id: 0x05, byteCount: 14)
        // Message control: 64-bit addresses; MSI enable is the driver's, and how many it got if there is a choice.
        capability.put16(2, 0x0080 | UInt16(vectorCount.trailingZeroBitCount) << 1, writable: vectorCount == 1 ? 0x0001 : 0x0071)
        capability.put32(4, 0, writable: ~3)
        capability.put32(8, 0, writable: ~0)
        capability.put16(12, 0, writable: 0xffff)
        capability.msiVectorCount = vectorCount
        return capability
    }

    /// MSI-X (PCI Local Bus 3.0 §6.8.2). Table and pending bits are the BAR's, which the model serves or leaves zero: hosts with
    /// VFIO's interrupts (QEMU, this package) do without.
    /// - Parameters:
    ///   - vectorCount: 1…2048 (§6.8.2.3).
    ///   - table: 16 bytes a vector; the offset is a multiple of 8 (§6.8.2.4).
    ///   - pending: a bit a vector, in whole 8 bytes (§6.8.2.5).
    public static func msix(vectorCount: Int, table: (bar: Int, offset: Int), pending: (bar: Int, offset: Int)) -> PCICapability {
        precondition((1...2048).contains(vectorCount), "MSI-X has no \(vectorCount) vectors")
        precondition([table, pending].allSatisfy { (0...5).contains($0.bar) && $0.offset >= 0 && $0.offset % 8 == 0 })
        var capability = PCICapability(id: 0x11, byteCount: 12)
        // Message control: MSI-X enable and function mask are the driver's.
        capability.put16(2, UInt16(vectorCount - 1), writable: 0xc000)
        capability.put32(4, UInt32(table.offset | table.bar))
        capability.put32(8, UInt32(pending.offset | pending.bar))
        capability.msixVectorCount = vectorCount
        return capability
    }

    /// A PCI Express endpoint (PCI Express Base 1.1 §7.8): payloads up to 256 bytes, one lane of 2.5 GT/s.
    /// - Parameters:
    ///   - version: of the capability (§7.8.2), 1 or 2.
    ///   - canBeReset: function level reset (§7.8.3, §7.8.4); the model does it when
    ///     ``DeviceEnvironment/isResetWanted(pciExpressAt:writtenAt:byteCount:)`` says so.
    ///   - isVirtual: a virtual function has of device and link control the reset alone.
    ///   - isIntegrated: it sits on a root bus (§7.8.2, port type 9), and has no link.
    public static func pciExpress(
        version: UInt16 = 1, canBeReset: Bool = true, isVirtual: Bool = false, isIntegrated: Bool = false
    ) -> PCICapability {
        precondition(version == 1 || version == 2)
        var capability = PCICapability(id: 0x10, byteCount: 20)
        capability.put16(2, version | (isIntegrated ? 0x0090 : 0))
        capability.put32(4, 0x0000_8cc1 | (canBeReset ? 0x1000_0000 : 0))
        // Device control: without a reset its uppermost bit stays zero.
        let control: UInt16 = isVirtual ? 0x8000 : 0xf8ff
        capability.put16(8, isVirtual ? 0 : 0x2810, writable: canBeReset ? control : control & 0x7fff)
        guard !isIntegrated else { return capability }
        capability.put32(12, 0x0000_0c11)
        capability.put16(16, 0, writable: isVirtual ? 0 : 0x00c3)
        capability.put16(18, 0x1011)
        return capability
    }

    /// A capability of the vendor's own (linux/pci_regs.h, PCI_CAP_ID_VNDR): its length is the third byte, as virtio's have it
    /// (linux/virtio_pci.h, struct virtio_pci_cap); what follows is put there by whoever makes it.
    /// - Parameter byteCount: the whole, with id, link and length.
    public static func vendor(byteCount: Int) -> PCICapability {
        var capability = PCICapability(id: 0x09, byteCount: max(byteCount, 3))
        capability.put8(2, UInt8(capability.byteCount))
        return capability
    }
}

extension DeviceEnvironment {
    /// Whether a write of config space asked for a function level reset (PCI Express Base 1.1 §7.8.4, Initiate Function Level
    /// Reset: bit 15 of device control). The bit reads as zero after ``resetToPowerOn()``.
    /// - Parameters:
    ///   - capability: where ``PCICapability/pciExpress(version:canBeReset:isVirtual:isIntegrated:)`` was put.
    ///   - offset: of the write, as ``DeviceModel/configWritten(at:byteCount:)`` is told.
    public func isResetWanted(pciExpressAt capability: Int, writtenAt offset: Int, byteCount: Int) -> Bool {
        let byte = capability + 9
        guard offset >= 0, offset <= byte, byte - offset < byteCount, config.indices.contains(byte) else { return false }
        return config[byte] & 0x80 != 0
    }
}
