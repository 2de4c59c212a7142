import DeviceMemory

/// Which memory a device may have written since a client asked for a log ("VFIO_DEVICE_FEATURE_DMA_LOGGING_START").
/// Models write to mapped memory directly: whatever they were permitted to write counts as written.
struct WriteLog {
    /// Ranges that a client may name, and unmapped ones that are remembered; beyond that everything counts.
    static let maximumRanges = 1024

    let pageByteCount: UInt64
    /// Empty: all of the address space.
    private let wanted: [IOVARange]
    private var unmapped: [IOVARange] = []
    private var hasForgotten = false

    /// - Parameter data: page size, number of ranges, and the ranges.
    init(_ data: [UInt8]) throws(MessageError) {
        let name = "a request for a log"
        guard data.count >= 16 else { throw .length(message: name, expected: 16, actual: data.count) }
        let page = data.field64(at: 0)
        guard page >= 4096, page & (page - 1) == 0 else { throw .field(message: name, name: "page size", value: page) }
        let count = data.field32(at: 8)
        guard count <= UInt32(WriteLog.maximumRanges) else { throw .field(message: name, name: "num_ranges", value: UInt64(count)) }
        try requireLength(data, 16 + Int(count) * 16, of: name)
        var ranges: [IOVARange] = []
        for at in stride(from: 16, to: data.count, by: 16) {
            guard let range = IOVARange(start: IOVA(data.field64(at: at)), byteCount: data.field64(at: at + 8)) else {
                throw .field(message: name, name: "length", value: data.field64(at: at + 8))
            }
            ranges.append(range)
        }
        pageByteCount = page
        wanted = ranges
    }

    /// These could be written until now.
    mutating func note(unmapped ranges: [IOVARange]) {
        guard unmapped.count + ranges.count <= WriteLog.maximumRanges else {
            hasForgotten = true
            return
        }
        unmapped += ranges
    }

    /// What of a range may have been written, if `writable` is what can be written now.
    func written(in range: IOVARange, writable: [IOVARange]) -> [IOVARange] {
        let all = hasForgotten ? [range] : writable + unmapped
        guard !wanted.isEmpty else { return all }
        return all.flatMap { part in
            wanted.compactMap { IOVARange(first: max($0.start, part.start).rawValue, last: min($0.last, part.last)) }
        }
    }
}
