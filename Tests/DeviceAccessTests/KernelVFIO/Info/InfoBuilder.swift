@testable import DeviceAccess

/// Hand-made answers of info ioctls.
enum InfoBuilder {
    static func capability(id: UInt16, next: UInt32, version: UInt16 = 1, body: [UInt8] = []) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: id)
        bytes.append(littleEndian: version)
        bytes.append(littleEndian: next)
        return bytes + body
    }

    /// nr, reserved, then pairs: the body of sparse-mmap areas and of IOVA ranges alike.
    static func pairs(_ pairs: [(UInt64, UInt64)], count: UInt32? = nil) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: count ?? UInt32(pairs.count))
        bytes.append(littleEndian: UInt32(0))
        for (a, b) in pairs {
            bytes.append(littleEndian: a)
            bytes.append(littleEndian: b)
        }
        return bytes
    }

    /// struct vfio_region_info: 32 bytes, then the chain.
    static func region(flags: UInt32, size: UInt64, offset: UInt64 = 0, first: UInt32 = 0, chain: [UInt8] = []) -> InfoBytes {
        var bytes: [UInt8] = []
        for word in [UInt32(32 + chain.count), flags, 0, first] { bytes.append(littleEndian: word) }
        bytes.append(littleEndian: size)
        bytes.append(littleEndian: offset)
        return InfoBytes(bytes + chain)
    }

    /// struct vfio_iommu_type1_info, padded to 24 bytes, then the chain.
    static func iommu(flags: UInt32, pageSizes: UInt64, first: UInt32 = 0, chain: [UInt8] = []) -> InfoBytes {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: UInt32(24 + chain.count))
        bytes.append(littleEndian: flags)
        bytes.append(littleEndian: pageSizes)
        bytes.append(littleEndian: first)
        bytes.append(littleEndian: UInt32(0))
        return InfoBytes(bytes + chain)
    }
}
