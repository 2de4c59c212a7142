public import LinuxIO

/// Who knows the files that a space's memory lies in: to be asked by those who show it to other processes.
public protocol MemoryFiles: AnyObject {
    /// The file behind an entry with this tag, and where its first byte is in this process. nil: nobody keeps it.
    func file(ofTag tag: UInt32) -> (file: SharedDescriptor, processAddress: UInt64)?
}

/// A part of a space as the part of a file that it is.
public struct FilePiece: Sendable {
    public let range: IOVARange
    public let file: SharedDescriptor
    public let fileOffset: UInt64
    public let access: DMAAccess

    public init(range: IOVARange, file: SharedDescriptor, fileOffset: UInt64, access: DMAAccess) {
        self.range = range
        self.file = file
        self.fileOffset = fileOffset
        self.access = access
    }
}

extension DMASpace {
    /// What lies behind a mapping, at the mapping's own addresses, in their order.
    /// - Returns: nil if a part of it is no memory, permits nothing of what the mapping does, or lies in a file that is not kept.
    public func filePieces(behind mapping: IOVAMapping) -> [FilePiece]? {
        guard let files, let behind = IOVARange(start: IOVA(mapping.physical.rawValue), byteCount: mapping.range.byteCount) else {
            return nil
        }
        var found: [FilePiece] = []
        var next = behind.start.rawValue
        for piece in pieces(of: behind) {
            let access = piece.access.intersection(mapping.access)
            let offset = piece.range.start.rawValue &- behind.start.rawValue
            guard piece.range.start.rawValue == next, !access.isEmpty, let known = files.file(ofTag: piece.tag),
                let start = mapping.range.start.advanced(by: offset), let range = IOVARange(start: start, byteCount: piece.range.byteCount)
            else { return nil }
            found.append(
                FilePiece(
                    range: range, file: known.file, fileOffset: piece.window.processAddress &- known.processAddress, access: access))
            next = piece.range.last &+ 1
        }
        return next == behind.last &+ 1 ? found : nil
    }
}
