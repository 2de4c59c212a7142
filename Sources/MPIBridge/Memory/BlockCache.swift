import DeviceMemory

/// Memory for unexpected messages: blocks of powers of two, kept for the next one when they are given back.
@safe struct BlockCache: ~Copyable {
    /// A block, and how long it is.
    @safe struct Block: BitwiseCopyable {
        fileprivate let address: UnsafeMutableRawPointer?
        fileprivate let sizeClass: UInt8
        let byteCount: Int

        // SAFETY: no address to go through.
        static var empty: Block { unsafe Block(address: nil, sizeClass: 0, byteCount: 0) }

        var window: MemoryWindow? {
            // SAFETY: the cache keeps the block alive until it is given back, and who gives it back drops the window.
            guard let address = unsafe address else { return nil }
            return unsafe MemoryWindow(address, byteCount: byteCount)
        }
    }

    private static let smallestShift = 6
    private static let classCount = 26
    /// First free block of each class; a free block's first word is the next one.
    private let free: UnsafeMutablePointer<UnsafeMutableRawPointer?>

    init() {
        // SAFETY: initialized right away.
        unsafe free = .allocate(capacity: Self.classCount)
        unsafe free.initialize(repeating: nil, count: Self.classCount)
    }

    deinit {
        for sizeClass in 0..<Self.classCount {
            // SAFETY: a free block starts with the next one's address; each was allocated by take(_:).
            while let block = unsafe free[sizeClass] {
                unsafe free[sizeClass] = block.load(as: UnsafeMutableRawPointer?.self)
                unsafe block.deallocate()
            }
        }
        unsafe free.deallocate()
    }

    /// - Parameter byteCount: 0 needs no memory; nil above 2 GiB.
    mutating func take(byteCount: Int) -> Block? {
        guard byteCount > 0 else { return .empty }
        let shift = max(Self.smallestShift, Int.bitWidth - (byteCount - 1).leadingZeroBitCount)
        let sizeClass = shift - Self.smallestShift
        guard sizeClass < Self.classCount else { return nil }
        // SAFETY: a free block starts with the next one's address.
        if let block = unsafe free[sizeClass] {
            unsafe free[sizeClass] = block.load(as: UnsafeMutableRawPointer?.self)
            return unsafe Block(address: block, sizeClass: UInt8(sizeClass), byteCount: byteCount)
        }
        return unsafe Block(
            address: .allocate(byteCount: 1 << shift, alignment: 64), sizeClass: UInt8(sizeClass), byteCount: byteCount)
    }

    mutating func give(_ block: Block) {
        // SAFETY: (this line) only whether there is one is looked at.
        guard let address = unsafe block.address else { return }
        // SAFETY: the block was taken from here and nobody uses it any more.
        unsafe address.storeBytes(of: free[Int(block.sizeClass)], as: UnsafeMutableRawPointer?.self)
        unsafe free[Int(block.sizeClass)] = address
    }
}
