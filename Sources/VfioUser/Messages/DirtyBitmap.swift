public import DeviceMemory

/// A question for written pages: a bit a page of the range, the first page in the lowest bit of the first byte.
public struct DirtyBitmapRequest: Equatable, Sendable {
    /// Bytes of a bitmap that one reply carries: 8 GiB in pages of 4 KiB.
    public static let maximumByteCount: UInt64 = 1 << 18

    public let range: IOVARange
    /// A power of two.
    public let pageByteCount: UInt64
    /// At least a bit a page; what is more stays zero.
    public let byteCount: UInt64

    public init(range: IOVARange, pageByteCount: UInt64, byteCount: UInt64, message: String) throws(MessageError) {
        guard pageByteCount >= 4096, pageByteCount & (pageByteCount - 1) == 0, range.start.rawValue & (pageByteCount - 1) == 0 else {
            throw .field(message: message, name: "page size", value: pageByteCount)
        }
        let pages = (range.byteCount - 1) / pageByteCount + 1
        guard byteCount <= DirtyBitmapRequest.maximumByteCount, byteCount >= (pages - 1) / 8 + 1 else {
            throw .field(message: message, name: "bitmap size", value: byteCount)
        }
        self.range = range
        self.pageByteCount = pageByteCount
        self.byteCount = byteCount
    }

    /// - Parameter written: ranges that may have been written; pages that they touch are set.
    public func bitmap(written: [IOVARange]) -> [UInt8] {
        var bits = [UInt8](repeating: 0, count: Int(byteCount))
        for part in written where part.overlaps(range) {
            let first = (max(part.start, range.start).rawValue - range.start.rawValue) / pageByteCount
            let last = (min(part.last, range.last) - range.start.rawValue) / pageByteCount
            for page in first...last { bits[Int(page / 8)] |= 1 << UInt8(page % 8) }
        }
        return bits
    }
}
