import DeviceMemory
import LinuxIO
import SystemPackage

extension VFIOSubject {
    /// VFIO_IOMMU_MAP_DMA or IOMMU_IOAS_MAP, with what could have made the kernel refuse.
    /// - Parameter lockedMemoryLimit: RLIMIT_MEMLOCK in bytes; nil without a limit.
    func cannotMap(_ range: IOVARange, limits: DMALimits, lockedMemoryLimit: UInt64?, _ cause: SystemCallError) -> DeviceError {
        let (reason, fix) = mapRefusal(range, limits, lockedMemoryLimit, cause.errno)
        return .mapDMA(
            device: url, range: range, reason: "\(cause.call)\(inGroup): \(reason) (\(cause.errno), errno \(cause.errno.rawValue))",
            fix: fix)
    }

    private var inGroup: String { group.map { " in IOMMU group \($0)" } ?? "" }

    private func mapRefusal(_ range: IOVARange, _ limits: DMALimits, _ limit: UInt64?, _ errno: Errno) -> (reason: String, fix: String) {
        switch errno {
        case .noMemory:
            let now = limit.map { "\($0 / 1024) KiB" } ?? "unlimited"
            let more = (range.byteCount + 1023) / 1024
            return (
                "pinning the memory would pass the limit of locked memory, RLIMIT_MEMLOCK, which is \(now)",
                "\(more) KiB more are wanted than is pinned now (iommufd counts what all of this user's processes pin): `ulimit -l unlimited`, or memlock in /etc/security/limits.conf, LimitMEMLOCK= in a service, --ulimit memlock=-1 in a container. If the limit is large enough, the machine is out of memory."
            )
        case .noSpace:
            return (
                "the container has no room for another mapping: vfio_iommu_type1's dma_entry_limit; \(limits.maximumMappings) were free when it was opened",
                "Map larger pieces, or raise it as root: `echo N > /sys/module/vfio_iommu_type1/parameters/dma_entry_limit` before the device is opened."
            )
        case .fileExists:
            return ("the range overlaps one that is mapped", "Unmap that one first, or choose another IOVA.")
        case .badAddress:
            return (
                "the memory cannot be pinned",
                "It is unmapped, read-only for a mapping that the device writes, or a file that cannot be pinned for long (DAX)."
            )
        case .invalidArgument: return invalid(range, limits)
        default: return ("the kernel refused", "See `dmesg`.")
        }
    }

    /// EINVAL has three causes (vfio_iommu_type1): alignment, a window, an overflow.
    private func invalid(_ range: IOVARange, _ limits: DMALimits) -> (reason: String, fix: String) {
        let page = limits.smallestPage
        if page > 0, (range.start.rawValue | range.byteCount) & (page - 1) != 0 {
            return ("IOVA or size is no multiple of the IOMMU's page of \(page) bytes", "Align both to \(page) bytes.")
        }
        if !limits.windows.contains(where: { $0.contains(range) }) {
            let windows = limits.windows.map(\.description).joined(separator: ", ")
            return ("the range is outside of what the IOMMU maps: \(windows)", "Choose an IOVA inside of one of these windows.")
        }
        return (
            "the memory's address is no multiple of the IOMMU's page of \(page) bytes, or it runs past the address space",
            "Map whole pages."
        )
    }

    /// VFIO_IOMMU_UNMAP_DMA or IOMMU_IOAS_UNMAP refused.
    func cannotUnmap(_ range: IOVARange, _ cause: SystemCallError) -> DeviceError {
        let reason =
            switch cause.errno {
            case .invalidArgument: "it would split a mapping, which type 1v2 does not, or is not aligned"
            case .noSuchFileOrDirectory: "nothing is mapped there, or it would split a mapping"
            default: "the kernel refused"
            }
        return .unmapDMA(
            device: url, range: range, reason: "\(cause.call)\(inGroup): \(reason) (\(cause.errno), errno \(cause.errno.rawValue))")
    }

    /// An unmap that did something else than was asked.
    func unmappedOther(_ range: IOVARange, byteCount: UInt64, call: String) -> DeviceError {
        let reason = byteCount == 0 ? "nothing is mapped there" : "only \(byteCount) bytes of it were mapped"
        return .unmapDMA(device: url, range: range, reason: "\(call)\(inGroup): \(reason)")
    }
}
