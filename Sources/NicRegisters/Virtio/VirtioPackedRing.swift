extension Virtio {
    /// struct pvirtq_desc. "Packed Virtqueues / The Virtqueue Descriptor Format".
    @frozen public struct PackedDescriptor: Descriptor {
        public var word0: UInt64
        public var word1: UInt64
        @inlinable public init(word0: UInt64, word1: UInt64) {
            self.word0 = word0
            self.word1 = word1
        }
        @inlinable public init(address: UInt64, byteCount: UInt32, id: UInt16, flags: DescriptorFlags) {
            word0 = address
            word1 = UInt64(byteCount) | UInt64(id) &<< 32 | UInt64(flags.rawValue) &<< 48
        }
        @inlinable public var address: UInt64 { word0 }
        /// Of an available one the buffer's size; of a used one the bytes that the device wrote.
        @inlinable public var byteCount: UInt32 { UInt32(truncatingIfNeeded: word1) }
        /// Stands in the last descriptor of a buffer.
        @inlinable public var id: UInt16 { UInt16(truncatingIfNeeded: word1 &>> 32) }
        @inlinable public var flags: DescriptorFlags { DescriptorFlags(rawValue: UInt16(truncatingIfNeeded: word1 &>> 48)) }

        /// Whether the driver made it available in the round with this wrap counter.
        @inlinable @inline(__always) public func isAvailable(wrap: Bool) -> Bool {
            flags.intersection([.available, .used]) == PackedRing.available(wrap: wrap)
        }
        /// Whether the device used it in the round with this wrap counter.
        @inlinable @inline(__always) public func isUsed(wrap: Bool) -> Bool {
            flags.intersection([.available, .used]) == PackedRing.used(wrap: wrap)
        }
    }

    /// struct pvirtq_event_suppress as one word. "Event Suppression Structure Format".
    @frozen public struct EventSuppression: BitwiseCopyable, Sendable, Equatable {
        public var word: UInt32
        @inlinable public init(word: UInt32) { self.word = word }

        /// RING_EVENT_FLAGS_ENABLE.
        @inlinable public static var enabled: Self { Self(word: 0 &<< 16) }
        /// RING_EVENT_FLAGS_DISABLE.
        @inlinable public static var disabled: Self { Self(word: 1 &<< 16) }
        /// RING_EVENT_FLAGS_DESC: for the descriptor at this place of the round with this wrap counter. Only with EVENT_IDX.
        @inlinable public static func at(_ offset: UInt16, wrap: Bool) -> Self {
            Self(word: UInt32(offset & 0x7fff) | (wrap ? 1 &<< 15 : 0) | 2 &<< 16)
        }

        @inlinable public var isEnabled: Bool { word &>> 16 & 3 == 0 }
        @inlinable public var isDisabled: Bool { word &>> 16 & 3 == 1 }
        @inlinable public var isForDescriptor: Bool { word &>> 16 & 3 == 2 }
        @inlinable public var offset: UInt16 { UInt16(truncatingIfNeeded: word & 0x7fff) }
        @inlinable public var wrap: Bool { word &>> 15 & 1 == 1 }
    }

    /// The parts of a packed virtqueue. "Packed Virtqueues / Structure Size and Alignment".
    public enum PackedRing {
        @inlinable public static var descriptorByteCount: Int { 16 }
        @inlinable public static var descriptorAlignment: UInt64 { 16 }
        @inlinable public static func descriptorsByteCount(size: Int) -> Int { 16 &* size }
        /// Driver area and device area: one ``EventSuppression`` each.
        @inlinable public static var eventByteCount: Int { 4 }
        @inlinable public static var eventAlignment: UInt64 { 4 }

        /// The two bits of a descriptor that the driver gives to the device. "Driver and Device Ring Wrap Counters".
        @inlinable @inline(__always) public static func available(wrap: Bool) -> DescriptorFlags { wrap ? .available : .used }
        /// The two bits of a descriptor that the device gives back.
        @inlinable @inline(__always) public static func used(wrap: Bool) -> DescriptorFlags { wrap ? [.available, .used] : [] }
    }
}
