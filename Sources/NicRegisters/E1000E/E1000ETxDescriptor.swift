/// Transmit descriptors of the 82574L: legacy, TCP/IP context, and data.
///
/// Layouts: Linux drivers/net/ethernet/intel/e1000e/hw.h (struct e1000_tx_desc, e1000_context_desc, e1000_data_desc);
/// bits: E1000_TXD_*. All three have their command in bits 31:24 and their status in bits 35:32 of word 1.

extension E1000E {
    /// Command bits: bits 31:24 of word 1, here in place.
    @frozen
    public struct TxCommand: OptionSet, BitwiseCopyable, Sendable {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Last descriptor of the frame (legacy, data).
        @inlinable public static var endOfPacket: Self { Self(rawValue: 1 << 24) }
        /// Append the Ethernet CRC (legacy, data).
        @inlinable public static var insertFCS: Self { Self(rawValue: 1 << 25) }
        /// Insert the checksum of `checksumStart` at `checksumOffset` (legacy).
        @inlinable public static var insertChecksum: Self { Self(rawValue: 1 << 26) }
        /// TCP segmentation (context, data).
        @inlinable public static var segmentation: Self { Self(rawValue: 1 << 26) }
        /// Report: set done when the descriptor is worked off.
        @inlinable public static var reportStatus: Self { Self(rawValue: 1 << 27) }
        /// Not a legacy descriptor: `kind` tells which.
        @inlinable public static var extended: Self { Self(rawValue: 1 << 29) }
        /// Insert the 802.1Q tag (legacy, data).
        @inlinable public static var insertVLAN: Self { Self(rawValue: 1 << 30) }
        /// Delay the interrupt by TIDV.
        @inlinable public static var interruptDelay: Self { Self(rawValue: 1 << 31) }
        /// The packet is TCP, else UDP (context).
        @inlinable public static var contextTCP: Self { Self(rawValue: 1 << 24) }
        /// The packet is IPv4, else IPv6 (context).
        @inlinable public static var contextIPv4: Self { Self(rawValue: 1 << 25) }
    }

    /// Status bits, shifted down.
    @frozen
    public struct TxStatus: OptionSet, BitwiseCopyable, Sendable {
        public var rawValue: UInt8
        @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The device is done with the descriptor.
        @inlinable public static var done: Self { Self(rawValue: 1 << 0) }
        /// Too many collisions.
        @inlinable public static var excessCollisions: Self { Self(rawValue: 1 << 1) }
        /// Late collision.
        @inlinable public static var lateCollision: Self { Self(rawValue: 1 << 2) }
    }

    /// Packet options of a data descriptor, shifted down.
    @frozen
    public struct TxPacketOptions: OptionSet, BitwiseCopyable, Sendable {
        public var rawValue: UInt8
        @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Insert the IPv4 header checksum.
        @inlinable public static var insertIPChecksum: Self { Self(rawValue: 1 << 0) }
        /// Insert the TCP or UDP checksum.
        @inlinable public static var insertTCPUDPChecksum: Self { Self(rawValue: 1 << 1) }
    }

    /// Which layout a transmit descriptor has.
    public enum TxDescriptorKind: Sendable, Equatable {
        case legacy, context, data
        /// The extended bit with a type that the device does not know.
        case reserved(UInt8)

        /// Tells from word 1. Takes any word.
        @inlinable
        public init(word1: UInt64) {
            guard word1.bits(29, 1) == 1 else {
                self = .legacy
                return
            }
            switch word1.bits(20, 4) {
            case 0: self = .context
            case 1: self = .data
            case let type: self = .reserved(UInt8(truncatingIfNeeded: type))
            }
        }
    }

    /// Legacy transmit descriptor. hw.h struct e1000_tx_desc.
    @frozen
    public struct TxLegacyDescriptor: Descriptor {
        public var word0: UInt64
        public var word1: UInt64

        @inlinable
        public init(word0: UInt64, word1: UInt64) {
            self.word0 = word0
            self.word1 = word1
        }

        @inlinable
        public init(
            bufferAddress: UInt64, length: UInt16, command: TxCommand, checksumOffset: UInt8 = 0,
            checksumStart: UInt8 = 0, vlanTag: UInt16 = 0
        ) {
            word0 = bufferAddress
            word1 =
                UInt64(length) | UInt64(checksumOffset) &<< 16 | UInt64(command.rawValue & 0xff00_0000)
                | UInt64(checksumStart) &<< 40 | UInt64(vlanTag) &<< 48
        }

        /// DMA address of the data.
        @inlinable public var bufferAddress: UInt64 { word0 }
        /// Bytes of data.
        @inlinable public var length: UInt16 { UInt16(truncatingIfNeeded: word1) }
        /// Byte of the frame where the checksum goes, with insertChecksum.
        @inlinable public var checksumOffset: UInt8 { UInt8(truncatingIfNeeded: word1 &>> 16) }
        @inlinable public var command: TxCommand { TxCommand(word1: word1) }
        @inlinable public var status: TxStatus {
            get { TxStatus(word1: word1) }
            set { word1 = word1.replacing(32, 4, with: UInt64(newValue.rawValue)) }
        }
        /// Byte of the frame where the checksum starts, with insertChecksum.
        @inlinable public var checksumStart: UInt8 { UInt8(truncatingIfNeeded: word1 &>> 40) }
        /// 802.1Q tag, with insertVLAN.
        @inlinable public var vlanTag: UInt16 { UInt16(truncatingIfNeeded: word1 &>> 48) }
    }

    /// TCP/IP context: what the data descriptors after it use. hw.h struct e1000_context_desc.
    @frozen
    public struct TxContextDescriptor: Descriptor {
        public var word0: UInt64
        public var word1: UInt64

        @inlinable
        public init(word0: UInt64, word1: UInt64) {
            self.word0 = word0
            self.word1 = word1
        }

        /// A context of type 0, with the extended bit set.
        @inlinable
        public init(
            ip: TxChecksumRange, tcpUDP: TxChecksumRange, payloadLength: UInt32 = 0, command: TxCommand,
            headerLength: UInt8 = 0, maximumSegment: UInt16 = 0
        ) {
            word0 = ip.halfWord | tcpUDP.halfWord &<< 32
            word1 =
                UInt64(payloadLength & 0xf_ffff) | UInt64(command.union(.extended).rawValue & 0xff00_0000)
                | UInt64(headerLength) &<< 40 | UInt64(maximumSegment) &<< 48
        }

        /// IPv4 header checksum: start, where it goes, last byte.
        @inlinable public var ip: TxChecksumRange { TxChecksumRange(halfWord: word0) }
        /// TCP or UDP checksum: start, where it goes, last byte (0: end of packet).
        @inlinable public var tcpUDP: TxChecksumRange { TxChecksumRange(halfWord: word0 &>> 32) }
        /// Bytes after the header, for segmentation.
        @inlinable public var payloadLength: UInt32 { UInt32(truncatingIfNeeded: word1.bits(0, 20)) }
        @inlinable public var command: TxCommand { TxCommand(word1: word1) }
        @inlinable public var status: TxStatus {
            get { TxStatus(word1: word1) }
            set { word1 = word1.replacing(32, 4, with: UInt64(newValue.rawValue)) }
        }
        /// Bytes of header repeated before each segment.
        @inlinable public var headerLength: UInt8 { UInt8(truncatingIfNeeded: word1 &>> 40) }
        /// Bytes of payload a segment.
        @inlinable public var maximumSegment: UInt16 { UInt16(truncatingIfNeeded: word1 &>> 48) }
    }

    /// Data descriptor that may use the context. hw.h struct e1000_data_desc.
    @frozen
    public struct TxDataDescriptor: Descriptor {
        public var word0: UInt64
        public var word1: UInt64

        @inlinable
        public init(word0: UInt64, word1: UInt64) {
            self.word0 = word0
            self.word1 = word1
        }

        /// A data descriptor of type 1, with the extended bit set.
        @inlinable
        public init(
            bufferAddress: UInt64, length: UInt32, command: TxCommand, options: TxPacketOptions = [],
            vlanTag: UInt16 = 0
        ) {
            word0 = bufferAddress
            word1 =
                UInt64(length & 0xf_ffff) | 1 &<< 20 | UInt64(command.union(.extended).rawValue & 0xff00_0000)
                | UInt64(options.rawValue) &<< 40 | UInt64(vlanTag) &<< 48
        }

        /// DMA address of the data.
        @inlinable public var bufferAddress: UInt64 { word0 }
        /// Bytes of data, 20 bits.
        @inlinable public var length: UInt32 { UInt32(truncatingIfNeeded: word1.bits(0, 20)) }
        @inlinable public var command: TxCommand { TxCommand(word1: word1) }
        @inlinable public var status: TxStatus {
            get { TxStatus(word1: word1) }
            set { word1 = word1.replacing(32, 4, with: UInt64(newValue.rawValue)) }
        }
        /// A time stamp is asked for. E1000_TXD_EXTCMD_TSTAMP.
        @inlinable public var wantsTimeStamp: Bool { word1.bits(36, 1) == 1 }
        @inlinable public var options: TxPacketOptions {
            TxPacketOptions(rawValue: UInt8(truncatingIfNeeded: word1 &>> 40))
        }
        /// 802.1Q tag, with insertVLAN.
        @inlinable public var vlanTag: UInt16 { UInt16(truncatingIfNeeded: word1 &>> 48) }
    }

    /// Start, place and end of a checksum in a frame, in bytes from its first byte.
    @frozen
    public struct TxChecksumRange: BitwiseCopyable, Sendable, Equatable {
        /// First byte that is summed.
        public var start: UInt8
        /// Where the 16-bit sum is put.
        public var offset: UInt8
        /// Last byte that is summed; 0 for the end of the packet.
        public var end: UInt16

        @inlinable
        public init(start: UInt8 = 0, offset: UInt8 = 0, end: UInt16 = 0) {
            self.start = start
            self.offset = offset
            self.end = end
        }

        @inlinable
        init(halfWord: UInt64) {
            start = UInt8(truncatingIfNeeded: halfWord)
            offset = UInt8(truncatingIfNeeded: halfWord &>> 8)
            end = UInt16(truncatingIfNeeded: halfWord &>> 16)
        }

        @inlinable var halfWord: UInt64 { UInt64(start) | UInt64(offset) &<< 8 | UInt64(end) &<< 16 }
    }
}

extension E1000E.TxCommand {
    @inlinable init(word1: UInt64) { self.init(rawValue: UInt32(truncatingIfNeeded: word1) & 0xff00_0000) }
}

extension E1000E.TxStatus {
    @inlinable init(word1: UInt64) { self.init(rawValue: UInt8(truncatingIfNeeded: word1.bits(32, 4))) }
}
