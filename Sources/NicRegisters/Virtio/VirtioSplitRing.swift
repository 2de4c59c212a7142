extension Virtio {
    /// Flags of a descriptor, in both ring formats. VRING_DESC_F_*, VRING_PACKED_DESC_F_*.
    @frozen public struct DescriptorFlags: OptionSet, BitwiseCopyable, Sendable, Equatable {
        public var rawValue: UInt16
        @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }
        /// The buffer goes on in another descriptor.
        @inlinable public static var next: Self { Self(rawValue: 1 << 0) }
        /// The device writes; without it the device reads.
        @inlinable public static var write: Self { Self(rawValue: 1 << 1) }
        /// The memory holds a table of descriptors.
        @inlinable public static var indirect: Self { Self(rawValue: 1 << 2) }
        /// Packed ring only: see ``PackedDescriptor``.
        @inlinable public static var available: Self { Self(rawValue: 1 << 7) }
        /// Packed ring only.
        @inlinable public static var used: Self { Self(rawValue: 1 << 15) }
    }

    /// struct virtq_desc. "The Virtqueue Descriptor Table".
    @frozen public struct SplitDescriptor: Descriptor {
        public var word0: UInt64
        public var word1: UInt64
        @inlinable public init(word0: UInt64, word1: UInt64) {
            self.word0 = word0
            self.word1 = word1
        }
        @inlinable public init(address: UInt64, byteCount: UInt32, flags: DescriptorFlags, next: UInt16 = 0) {
            word0 = address
            word1 = UInt64(byteCount) | UInt64(flags.rawValue) &<< 32 | UInt64(next) &<< 48
        }
        @inlinable public var address: UInt64 { word0 }
        @inlinable public var byteCount: UInt32 { UInt32(truncatingIfNeeded: word1) }
        @inlinable public var flags: DescriptorFlags { DescriptorFlags(rawValue: UInt16(truncatingIfNeeded: word1 &>> 32)) }
        /// Index of the descriptor where the buffer goes on.
        @inlinable public var next: UInt16 { UInt16(truncatingIfNeeded: word1 &>> 48) }
    }

    /// struct virtq_used_elem, as one word: `id` below, `len` above.
    @frozen public struct UsedElement: BitwiseCopyable, Sendable, Equatable {
        public var word: UInt64
        @inlinable public init(word: UInt64) { self.word = word }
        @inlinable public init(id: UInt32, byteCount: UInt32) { word = UInt64(id) | UInt64(byteCount) &<< 32 }
        /// Index of the first descriptor.
        @inlinable public var id: UInt32 { UInt32(truncatingIfNeeded: word) }
        /// Bytes that the device wrote.
        @inlinable public var byteCount: UInt32 { UInt32(truncatingIfNeeded: word &>> 32) }
    }

    /// Where things are in the three parts of a split virtqueue. "Split Virtqueues".
    public enum SplitRing {
        @inlinable public static var descriptorByteCount: Int { 16 }
        @inlinable public static var descriptorAlignment: UInt64 { 16 }
        @inlinable public static func descriptorsByteCount(size: Int) -> Int { 16 &* size }

        // Driver area: the available ring, 16-bit words. "The Virtqueue Available Ring".
        @inlinable public static var availableFlags: Int { 0 }
        @inlinable public static var availableIndex: Int { 2 }
        @inlinable public static var availableEntries: Int { 4 }
        @inlinable public static func usedEvent(size: Int) -> Int { 4 &+ 2 &* size }
        @inlinable public static var availableAlignment: UInt64 { 2 }
        @inlinable public static func availableByteCount(size: Int) -> Int { 6 &+ 2 &* size }
        /// VRING_AVAIL_F_NO_INTERRUPT.
        @inlinable public static var noInterrupt: UInt16 { 1 }

        // Device area: the used ring. "The Virtqueue Used Ring".
        @inlinable public static var usedFlags: Int { 0 }
        @inlinable public static var usedIndex: Int { 2 }
        /// ``UsedElement``, 8 bytes each.
        @inlinable public static var usedEntries: Int { 4 }
        @inlinable public static func availableEvent(size: Int) -> Int { 4 &+ 8 &* size }
        @inlinable public static var usedAlignment: UInt64 { 4 }
        @inlinable public static func usedByteCount(size: Int) -> Int { 6 &+ 8 &* size }
        /// VRING_USED_F_NO_NOTIFY.
        @inlinable public static var noNotify: UInt16 { 1 }
    }
}
