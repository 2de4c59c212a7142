extension DMASpace {
    /// A range of a space and what lies behind it.
    @safe public struct Entry: DMARanged, @unchecked Sendable {
        public let range: IOVARange
        /// The first byte; nil when nothing lies behind the range.
        private let base: UnsafeMutableRawPointer?
        public let access: DMAAccess
        /// The mapper's own number.
        public let tag: UInt32

        init(_ range: IOVARange, to window: MemoryWindow, access: DMAAccess, tag: UInt32) {
            self.range = range
            // SAFETY: as many bytes as the range; the mapper keeps them alive until it unmaps them.
            unsafe base = window.baseAddress
            self.access = access
            self.tag = tag
        }

        /// Nothing lies behind it.
        init(reserved range: IOVARange) {
            self.range = range
            // SAFETY: no address, so nothing is reached through it.
            unsafe base = nil
            access = []
            tag = 0
        }

        /// Whether the range was only reserved.
        public var isReserved: Bool {
            // SAFETY: only compared.
            unsafe base == nil
        }

        /// The memory behind `byteCount` bytes at `iova`, which is inside, if all of them are and `access` is permitted.
        @inline(__always)
        func window(at iova: IOVA, byteCount: Int, access wanted: DMAAccess) -> MemoryWindow? {
            let offset = iova.rawValue &- range.start.rawValue
            // SAFETY: offset and count are checked to lie inside of the window that was mapped before anything uses the address.
            guard byteCount > 0, UInt64(truncatingIfNeeded: byteCount) <= range.byteCount &- offset, access.isSuperset(of: wanted),
                let base = unsafe base
            else { return nil }
            // SAFETY: as just checked.
            return unsafe MemoryWindow(base + Int(truncatingIfNeeded: offset), byteCount: byteCount)
        }
    }
}
