import DeviceMemory

/// What IOMMU_IOAS_IOVA_RANGES answers (include/uapi/linux/iommufd.h, struct iommu_ioas_iova_ranges).
struct IOVARangesReply {
    /// How many windows the kernel has.
    let count: Int
    /// First and last address of each.
    let pairs: [(first: UInt64, last: UInt64)]
    /// The smallest page. Which larger ones the IOMMU has iommufd does not tell; it uses them where memory allows.
    let alignment: UInt64

    func limits() throws(MalformedInfo) -> DMALimits {
        guard alignment > 0, alignment & (alignment - 1) == 0, alignment <= 1 << 30 else {
            throw MalformedInfo(reason: "an alignment of \(alignment) bytes is no page")
        }
        return DMALimits(windows: try IOVAWindows.judge(pairs), pageSizes: max(alignment, 4096), maximumMappings: .max)
    }
}
