public import DeviceMemory
public import LinuxIO

/// What a model's host gives to it: guest memory, interrupts, config space, and the memory of its mapped BAR areas.
/// Used by one thread, the host's.
public final class DeviceEnvironment {
    /// Guest memory by IOVA.
    public let dma: DMASpace
    public let interrupts: InterruptLines
    /// Config space as the driver sees it now.
    public var config: [UInt8]
    private let description: FunctionDescription
    /// By BAR.
    private let areaFiles: [Int: SharedDescriptor]
    /// nil: the areas are a device's own, which clients map and this process does not.
    private let areaPages: MappedPages?
    private let areaOffsets: [(bar: Int, range: Range<UInt64>, fileOffset: Int)]

    /// Makes the memory of every `memoryAreas` of the function, zeroed, in one file that others can map.
    public init(for description: FunctionDescription, dma: DMASpace = DMASpace()) throws(SystemCallError) {
        self.dma = dma
        self.description = description
        config = description.config
        interrupts = InterruptLines(
            intx: description.hasINTx ? 1 : 0, msi: description.msiVectorCount, msix: description.msixVectorCount)
        var offsets: [(bar: Int, range: Range<UInt64>, fileOffset: Int)] = []
        var total = 0
        // Each BAR lies in the file as it lies in itself: one offset a BAR tells a client where all of its areas are, as
        // VFIO's sparse mmap areas want it. The holes between areas take no memory.
        for (bar, areas) in description.bars.enumerated() {
            guard let areas = areas?.memoryAreas, let end = areas.map(\.upperBound).max() else { continue }
            for range in areas { offsets.append((bar, range, total + Int(range.lowerBound))) }
            total += (Int(end) + 4095) & ~4095
        }
        areaOffsets = offsets
        let file = try MemoryFile.create(name: "unic-bar-memory", byteCount: max(total, 4096))
        areaPages = try MappedPages(sharing: file, byteCount: max(total, 4096), subject: "BAR memory")
        let shared = SharedDescriptor(file)
        areaFiles = Dictionary(uniqueKeysWithValues: description.bars.indices.map { ($0, shared) })
    }

    /// For a function that is not this process's: the areas lie in files of whoever it belongs to.
    /// - Parameters:
    ///   - files: of each BAR with areas.
    ///   - offsets: where each BAR begins in its file.
    public init(for description: FunctionDescription, dma: DMASpace, files: [Int: SharedDescriptor], offsets: [Int: UInt64]) {
        self.dma = dma
        self.description = description
        config = description.config
        interrupts = InterruptLines(
            intx: description.hasINTx ? 1 : 0, msi: description.msiVectorCount, msix: description.msixVectorCount)
        areaOffsets = description.bars.enumerated().flatMap { bar, description in
            (description?.memoryAreas ?? []).compactMap { range in
                Int(exactly: (offsets[bar] ?? 0) &+ range.lowerBound).map { (bar, range, $0) }
            }
        }
        areaPages = nil
        areaFiles = files
    }

    /// What a client may map of a BAR, in ``areaFileDescriptor(of:)``'s file; `fileOffset` is the BAR's own. nil: nothing.
    public func mappableAreas(of bar: Int) -> (ranges: [Range<UInt64>], fileOffset: UInt64)? {
        let areas = areaOffsets.filter { $0.bar == bar }
        guard let first = areas.first else { return nil }
        return (areas.map(\.range), UInt64(first.fileOffset) &- first.range.lowerBound)
    }

    /// The mapped areas of a BAR, with where each lies in ``areaFileDescriptor(of:)``'s file: `range.lowerBound` after the BAR's start.
    /// None of hardware's: accesses by message are the model's then.
    public func memoryAreas(of bar: Int) -> [(range: Range<UInt64>, window: MemoryWindow, fileOffset: Int)] {
        guard let whole = areaMemory else { return [] }
        return areaOffsets.filter { $0.bar == bar }.map {
            ($0.range, whole.slice(at: $0.fileOffset, byteCount: Int($0.range.upperBound - $0.range.lowerBound)), $0.fileOffset)
        }
    }

    private var areaMemory: MemoryWindow? {
        switch areaPages {
        // SAFETY: exactly the mapping that this object owns; models and hosts keep the object while they use its windows.
        case .some(let pages): unsafe MemoryWindow(pages.address, byteCount: pages.byteCount)
        case .none: nil
        }
    }

    /// The descriptor of the file behind a BAR's mapped areas, owned by this object; nil: there is none.
    public func areaFileDescriptor(of bar: Int) -> Int32? { areaFiles[bar]?.number }

    /// Whether the driver switched bus mastering on (PCI Local Bus 3.0 §6.2.2, command register bit 2): without it no DMA and no MSI.
    public var isBusMaster: Bool { config.count > 4 && config[4] & 0x4 != 0 }

    /// The driver writes config space; read-only bits stay. Bytes outside are ignored.
    public func writeConfig(at offset: Int, bytes: [UInt8]) {
        for (index, byte) in bytes.enumerated() {
            let (at, overflow) = offset.addingReportingOverflow(index)
            guard !overflow, config.indices.contains(at), description.writableConfigBits.indices.contains(at) else { continue }
            let mask = description.writableConfigBits[at]
            config[at] = config[at] & ~mask | byte & mask
        }
        updateINTx()
    }

    /// The level of the function's INTx line. PCI's status register shows it (PCI Local Bus 3.0 §6.2.3, bit 3), its command
    /// register holds it back (§6.2.2, bit 10).
    public func setINTx(_ isHigh: Bool) {
        guard config.count >= 64, isHigh != isINTxHigh else { return }
        config[6] ^= 0x08
        updateINTx()
    }

    public var isINTxHigh: Bool { config.count >= 64 && config[6] & 0x08 != 0 }

    private func updateINTx() { interrupts.setINTx(isINTxHigh && config[5] & 0x04 == 0) }

    /// Config space, interrupts and BAR memory back to power-on. DMA mappings are the IOMMU's and stay.
    public func resetToPowerOn() {
        config = description.config
        updateINTx()
        for bar in description.bars.indices { for area in memoryAreas(of: bar) { area.window.fill(0) } }
    }
}
