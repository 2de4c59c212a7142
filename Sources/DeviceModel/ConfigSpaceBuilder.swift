/// Who a function says that it is (PCI Local Bus 3.0 §6.2.1).
public struct PCIIdentity: Sendable {
    public var vendor: UInt16
    public var device: UInt16
    /// Base class, subclass, programming interface, 24 bits (linux/pci_ids.h lists them; Ethernet is 0x020000).
    public var classCode: UInt32
    public var revision: UInt8
    public var subsystemVendor: UInt16
    public var subsystemDevice: UInt16

    public init(
        vendor: UInt16, device: UInt16, classCode: UInt32, revision: UInt8 = 0, subsystemVendor: UInt16 = 0, subsystemDevice: UInt16 = 0
    ) {
        self.vendor = vendor
        self.device = device
        self.classCode = classCode
        self.revision = revision
        self.subsystemVendor = subsystemVendor
        self.subsystemDevice = subsystemDevice
    }
}

/// Config space in the making: values and which of their bits the driver may write. ``function`` is what comes of it.
///
///     var space = ConfigSpaceBuilder(PCIIdentity(vendor: 0x1234, device: 1, classCode: 0xff_0000), hasINTx: false)
///     space.add(BARDescription(byteCount: 0x1000), asBAR: 0)
///     space.add(.msix(vectorCount: 2, table: (bar: 0, offset: 0x800), pending: (bar: 0, offset: 0xc00)), at: 0x40)
///     space.add(.pciExpress(), at: 0x50)
///
/// 4096 bytes, as PCI Express functions have (PCI Express Base 3.0 §7.2.2), without extended capabilities. QEMU's root ports
/// read registers of a function's PCI Express capability that version 1 of it has not got: close to the end of 256 bytes
/// they would lie outside, and QEMU ends itself by an assertion.
///
/// What cannot be (two things at one place, a size that is no power of two) is the model's own mistake and traps.
public struct ConfigSpaceBuilder: Sendable {
    public static var byteCount: Int { 4096 }
    /// Capabilities lie behind the header, in what every PCI function has (PCI Local Bus 3.0 §6.1, §6.7).
    public static var capabilityRange: Range<Int> { 0x40..<0x100 }

    private var bytes = [UInt8](repeating: 0, count: byteCount)
    private var writable = [UInt8](repeating: 0, count: byteCount)
    private var bars = [BARDescription?](repeating: nil, count: 6)
    private var vectors: (msi: Int, msix: Int) = (0, 0)
    private let hasINTx: Bool
    /// Where the next capability's offset goes: the header's pointer, then each capability's.
    private var link = 0x34
    private var taken: [Range<Int>] = []

    /// The header (PCI Local Bus 3.0 §6.1, type 0).
    /// - Parameters:
    ///   - hasINTx: the function has the pin INTA# (§6.2.4).
    ///   - isVirtual: a virtual function of SR-IOV as VFIO shows it, which has less to write (SR-IOV 1.1 §3.4).
    public init(_ identity: PCIIdentity, hasINTx: Bool, isVirtual: Bool = false) {
        precondition(!hasINTx || !isVirtual, "a virtual function has no INTx (SR-IOV 1.1 §3.4)")
        self.hasINTx = hasINTx
        put16(0x00, identity.vendor)
        put16(0x02, identity.device)
        // Command (§6.2.2): I/O, memory, bus master, parity, SERR#, and INTx off.
        put16(0x04, 0, writable: isVirtual ? 0x0006 : 0x0547)
        put32(0x08, identity.classCode << 8 | UInt32(identity.revision))
        // Cache line size: PCI Express functions keep it and do nothing with it.
        if !isVirtual { put8(0x0c, 0, writable: 0xff) }
        put16(0x2c, identity.subsystemVendor)
        put16(0x2e, identity.subsystemDevice)
        if hasINTx {
            put8(0x3c, 0, writable: 0xff)
            put8(0x3d, 1)
        }
    }

    /// A BAR of 32 bits (PCI Local Bus 3.0 §6.2.5.1): the driver finds its size by writing ones.
    /// - Parameter index: 0…5.
    public mutating func add(_ bar: BARDescription, asBAR index: Int) {
        precondition(bars.indices.contains(index) && bars[index] == nil, "BAR \(index) is there already, or cannot be")
        precondition(bar.byteCount.nonzeroBitCount == 1 && (bar.isIO ? 4...256 : 16...(1 << 31)).contains(bar.byteCount), "BAR \(index)")
        bars[index] = bar
        put32(0x10 + index * 4, bar.isIO ? 1 : 0, writable: ~UInt32(bar.byteCount - 1))
    }

    /// Puts a capability into the list, behind those that are there (PCI Local Bus 3.0 §6.7).
    /// - Parameter offset: a multiple of 4 in ``capabilityRange``.
    public mutating func add(_ capability: PCICapability, at offset: Int) {
        let place = offset..<offset + capability.byteCount
        precondition(offset % 4 == 0 && Self.capabilityRange.lowerBound <= offset && place.upperBound <= Self.capabilityRange.upperBound)
        precondition(!taken.contains { $0.overlaps(place) }, "two capabilities share bytes at \(offset)")
        taken.append(place)
        for index in 0..<capability.byteCount { put8(offset + index, capability.bytes[index], writable: capability.writable[index]) }
        vectors.msi += capability.msiVectorCount
        vectors.msix += capability.msixVectorCount
        // Status (§6.2.3), bit 4: there is a list.
        put16(0x06, 0x0010)
        bytes[link] = UInt8(offset)
        link = offset + 1
    }

    /// What a host is told.
    public var function: FunctionDescription {
        FunctionDescription(
            config: bytes, writableConfigBits: writable, bars: bars, msixVectorCount: vectors.msix, msiVectorCount: vectors.msi,
            hasINTx: hasINTx)
    }

    private mutating func put8(_ offset: Int, _ value: UInt8, writable mask: UInt8 = 0) {
        bytes[offset] = value
        writable[offset] = mask
    }
    private mutating func put16(_ offset: Int, _ value: UInt16, writable mask: UInt16 = 0) {
        put8(offset, UInt8(value & 0xff), writable: UInt8(mask & 0xff))
        put8(offset + 1, UInt8(value >> 8), writable: UInt8(mask >> 8))
    }
    private mutating func put32(_ offset: Int, _ value: UInt32, writable mask: UInt32 = 0) {
        put16(offset, UInt16(value & 0xffff), writable: UInt16(mask & 0xffff))
        put16(offset + 2, UInt16(value >> 16), writable: UInt16(mask >> 16))
    }
}
