public import DeviceAccess
public import DeviceMemory
import DeviceModel

/// The model's IOMMU: a table in this process.
extension SoftDevice where Model: ~Copyable {
    /// 39 bits, as an IOMMU of the smaller kind has them, without the first page and without the window where x86 interrupt
    /// messages lie (0xfee00000 to 0xfeefffff): a driver that ignores gaps fails here already.
    public var dmaLimits: DMALimits {
        let ranges: [(first: UInt64, last: UInt64)] = [(0x1000, 0xfedf_ffff), (0xfef0_0000, (1 << 39) - 1)]
        return DMALimits(
            windows: ranges.compactMap { IOVARange(first: $0.first, last: $0.last) }, pageSizes: 4096,
            maximumMappings: environment.dma.maximumEntries)
    }

    public func map(_ memory: borrowing DMAMemory, at iova: IOVA, access: DMAAccess) throws(DeviceError) {
        guard let range = IOVARange(start: iova, byteCount: UInt64(memory.byteCount)) else {
            throw .notUsable(
                device: url, group: nil, reason: "\(memory.byteCount) bytes at IOVA \(iova) run past the top of the address space",
                fix: "Take addresses from the device's limits.")
        }
        guard range.isPageAligned else {
            throw refusal(range, "it is not made of whole pages of 4096 bytes", "Round the address and the size")
        }
        guard dmaLimits.windows.contains(where: { $0.contains(range) }) else {
            throw refusal(range, "it is outside of the windows \(dmaLimits.windows)", "Take addresses from the device's limits")
        }
        guard !access.isEmpty, DMAAccess.readWrite.isSuperset(of: access) else {
            throw refusal(range, "its access is neither reading nor writing", "Name one of them or both")
        }
        do {
            try environment.dma.map(range, to: memory.window, access: access)
        } catch {
            switch error {
            case .overlaps(let other): throw refusal(range, "it overlaps \(other), which is mapped", "Unmap that first")
            case .tooMany(let limit): throw refusal(range, "\(limit) ranges are mapped already", "Map larger pieces")
            case .sizeMismatch: throw refusal(range, "its memory has \(memory.byteCount) bytes", "Map all of it")
            }
        }
    }

    /// The model runs in this thread: nothing of it reaches the memory when this returns.
    public func unmap(_ range: IOVARange) throws(DeviceError) {
        guard let removed = environment.dma.unmap(range) else {
            throw .unmapDMA(device: url, range: range, reason: "it would cut a mapping in two")
        }
        if removed.isEmpty { throw .unmapDMA(device: url, range: range, reason: "nothing is mapped there") }
    }

    private func refusal(_ range: IOVARange, _ reason: String, _ fix: String) -> DeviceError {
        .mapDMA(device: url, range: range, reason: reason, fix: "\(fix).")
    }
}

extension IOVARange {
    fileprivate var isPageAligned: Bool { start.rawValue & 4095 == 0 && byteCount & 4095 == 0 }
}
