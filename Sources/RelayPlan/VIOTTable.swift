import DeviceAccess

/// What tells a guest which functions an IOMMU serves: the body of ACPI's Virtual I/O Translation Table, which QEMU's
/// `-acpitable sig=VIOT` puts a header before.
///
/// Layout, little-endian (ACPI 6.5, Virtual I/O Translation Table). Offsets of nodes count from the header's start.
///
///     table           36  u16 node count    38  u16 offset of the first node, 48    40  8 reserved
///     virtio-pci       0  u8 type, 3    1  reserved    2  u16 length, 16    4  u16 segment    6  u16 BDF    8  8 reserved
///     PCI range        0  u8 type, 1    1  reserved    2  u16 length, 24    4  u32 first endpoint
///                      8  u16 first, 10  u16 last segment    12  u16 first, 14  u16 last BDF
///                     16  u16 offset of its IOMMU's node    18  6 reserved
public struct VIOTTable: Equatable, Sendable {
    /// Functions of segment 0 in a row, both ends included. Function BDF is endpoint BDF − first + `firstEndpoint`.
    public struct Range: Equatable, Sendable {
        public let first: UInt16
        public let last: UInt16
        public let firstEndpoint: UInt32
        /// Which of the table's IOMMUs serves them.
        public let iommu: Int

        public init(first: UInt16, last: UInt16, firstEndpoint: UInt32, iommu: Int = 0) {
            self.first = first
            self.last = last
            self.firstEndpoint = firstEndpoint
            self.iommu = iommu
        }
    }

    /// BDFs of virtio-iommu functions, all in segment 0.
    public let iommus: [UInt16]
    public let ranges: [Range]

    static let headerByteCount = 36
    static let firstNode = 48
    static let iommuByteCount = 16
    static let rangeByteCount = 24

    /// Linux goes by the first range that holds a function, and never translates an IOMMU's own accesses: overlaps are
    /// refused here, since they are mistakes.
    public init(iommus: [UInt16], ranges: [Range]) throws(VIOTError) {
        let end = Self.firstNode + iommus.count * Self.iommuByteCount + ranges.count * Self.rangeByteCount
        guard !iommus.isEmpty else { throw .noIOMMU }
        guard end <= Int(UInt16.max) else { throw .tooLarge(byteCount: end) }
        for (index, range) in ranges.enumerated() {
            guard range.first <= range.last else { throw .backwards(range) }
            guard iommus.indices.contains(range.iommu) else { throw .unknownIOMMU(range) }
            let count = UInt32(range.last - range.first)
            guard !range.firstEndpoint.addingReportingOverflow(count).overflow else { throw .endpointsWrap(range) }
            for iommu in iommus where (range.first...range.last).contains(iommu) { throw .holdsIOMMU(range, iommu: iommu) }
            for other in ranges[..<index] where other.first <= range.last && range.first <= other.last { throw .overlap(other, range) }
        }
        self.iommus = iommus
        self.ranges = ranges
    }

    /// The table without its header of 36 bytes.
    public var body: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append16(iommus.count + ranges.count)
        bytes.append16(Self.firstNode)
        bytes.append(contentsOf: repeatElement(0, count: 8))
        for iommu in iommus {
            bytes += [3, 0]
            bytes.append16(Self.iommuByteCount)
            bytes.append16(0)
            bytes.append16(Int(iommu))
            bytes.append(contentsOf: repeatElement(0, count: 8))
        }
        for range in ranges {
            bytes += [1, 0]
            bytes.append16(Self.rangeByteCount)
            bytes.append16(Int(range.firstEndpoint & 0xffff))
            bytes.append16(Int(range.firstEndpoint >> 16))
            for field in [0, 0, range.first, range.last] { bytes.append16(Int(field)) }
            bytes.append16(Self.firstNode + range.iommu * Self.iommuByteCount)
            bytes.append(contentsOf: repeatElement(0, count: 6))
        }
        return bytes
    }
}

extension [UInt8] {
    fileprivate mutating func append16(_ value: Int) {
        append(UInt8(truncatingIfNeeded: value))
        append(UInt8(truncatingIfNeeded: value >> 8))
    }
}

/// Why a VIOT table cannot be written.
public enum VIOTError: Error, Equatable, CustomStringConvertible {
    case noIOMMU
    case tooLarge(byteCount: Int)
    case backwards(VIOTTable.Range)
    case unknownIOMMU(VIOTTable.Range)
    case endpointsWrap(VIOTTable.Range)
    case holdsIOMMU(VIOTTable.Range, iommu: UInt16)
    case overlap(VIOTTable.Range, VIOTTable.Range)

    public var description: String {
        switch self {
        case .noIOMMU: "A VIOT table without an IOMMU has no meaning; name at least one virtio-iommu function."
        case .tooLarge(let byteCount):
            "The VIOT table would have \(byteCount) bytes, and its offsets reach to 65535; make fewer ranges."
        case .backwards(let range): "The PCI range \(text(range)) ends before it begins."
        case .unknownIOMMU(let range): "The PCI range \(text(range)) names IOMMU \(range.iommu), which the table has not got."
        case .endpointsWrap(let range):
            "The endpoints of PCI range \(text(range)) begin at \(range.firstEndpoint) and do not fit into 32 bits."
        case .holdsIOMMU(let range, let iommu):
            "The PCI range \(text(range)) holds the IOMMU's own function \(PCIAddress(endpoint: iommu)), which nothing translates."
        case .overlap(let a, let b): "The PCI ranges \(text(a)) and \(text(b)) overlap; a function has one endpoint only."
        }
    }

    private func text(_ range: VIOTTable.Range) -> String {
        "\(PCIAddress(endpoint: range.first)) to \(PCIAddress(endpoint: range.last))"
    }
}
