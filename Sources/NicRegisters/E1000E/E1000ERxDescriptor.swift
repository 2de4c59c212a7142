/// Receive descriptors of the 82574L: the extended format, and the legacy one.
///
/// RFCTL.extendedStatus chooses the format that the device writes back. Layouts: Linux
/// drivers/net/ethernet/intel/e1000e/hw.h (union e1000_rx_desc_extended) and QEMU hw/net/e1000x_regs.h (struct
/// e1000_rx_desc); bits: E1000_RXD_STAT_*, E1000_RXD_ERR_*, E1000_RXDEXT_STATERR_*.

extension E1000E {
    /// Status (bits 19:0) and errors (bits 31:24) of a received descriptor. In the legacy format the low 8 status bits
    /// and the errors have the same meaning.
    @frozen
    public struct RxStatus: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// The device is done with the descriptor.
        @inlinable public static var done: Self { Self(rawValue: 1 << 0) }
        /// Last descriptor of the frame.
        @inlinable public static var endOfPacket: Self { Self(rawValue: 1 << 1) }
        /// No checksum of this frame was looked at.
        @inlinable public static var ignoreChecksum: Self { Self(rawValue: 1 << 2) }
        /// 802.1Q tag seen; stripped if CTRL.vlanMode.
        @inlinable public static var vlanPacket: Self { Self(rawValue: 1 << 3) }
        /// UDP checksum was checked.
        @inlinable public static var udpChecksumChecked: Self { Self(rawValue: 1 << 4) }
        /// TCP (legacy: TCP or UDP) checksum was checked.
        @inlinable public static var tcpChecksumChecked: Self { Self(rawValue: 1 << 5) }
        /// IPv4 header checksum was checked.
        @inlinable public static var ipChecksumChecked: Self { Self(rawValue: 1 << 6) }
        /// Passed an inexact filter only: software must compare the address.
        @inlinable public static var passedInexactFilter: Self { Self(rawValue: 1 << 7) }
        /// A time stamp was taken.
        @inlinable public static var timeStamp: Self { Self(rawValue: 1 << 8) }
        /// `ipIdentification` is valid.
        @inlinable public static var ipIdentificationValid: Self { Self(rawValue: 1 << 9) }
        /// The UDP checksum field is valid.
        @inlinable public static var udpChecksumValid: Self { Self(rawValue: 1 << 10) }
        /// TCP acknowledgement.
        @inlinable public static var acknowledge: Self { Self(rawValue: 1 << 15) }
        /// CRC error.
        @inlinable public static var crcError: Self { Self(rawValue: 1 << 24) }
        /// Symbol error.
        @inlinable public static var symbolError: Self { Self(rawValue: 1 << 25) }
        /// Sequence error.
        @inlinable public static var sequenceError: Self { Self(rawValue: 1 << 26) }
        /// Carrier extension error.
        @inlinable public static var carrierExtensionError: Self { Self(rawValue: 1 << 28) }
        /// TCP or UDP checksum is wrong.
        @inlinable public static var tcpUDPChecksumError: Self { Self(rawValue: 1 << 29) }
        /// IPv4 header checksum is wrong.
        @inlinable public static var ipChecksumError: Self { Self(rawValue: 1 << 30) }
        /// Receive data error.
        @inlinable public static var dataError: Self { Self(rawValue: 1 << 31) }

        /// Errors that make a frame worthless. E1000_RXDEXT_ERR_FRAME_ERR_MASK.
        @inlinable public static var frameErrors: Self { Self(rawValue: 0x9700_0000) }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("DD", .done), ("EOP", .endOfPacket), ("IXSM", .ignoreChecksum), ("VP", .vlanPacket),
                ("UDPCS", .udpChecksumChecked), ("TCPCS", .tcpChecksumChecked), ("IPCS", .ipChecksumChecked),
                ("PIF", .passedInexactFilter), ("TST", .timeStamp), ("IPIDV", .ipIdentificationValid),
                ("UDPV", .udpChecksumValid), ("ACK", .acknowledge), ("CE", .crcError), ("SE", .symbolError),
                ("SEQ", .sequenceError), ("CXE", .carrierExtensionError), ("TCPE", .tcpUDPChecksumError),
                ("IPE", .ipChecksumError), ("RXE", .dataError),
            ]
        }
        /// What kind of packet the device saw. QEMU hw/net/e1000x_regs.h E1000_RXD_PKT_TYPE.
        public static var namedFields: [(name: String, field: BitField)] { [("PKTTYPE", packetTypeField)] }
        @inlinable public static var packetTypeField: BitField { BitField(shift: 16, width: 4) }
    }

    /// Receive descriptor as software gives it to the device, extended format.
    @frozen
    public struct RxReadDescriptor: Descriptor {
        public var word0: UInt64
        public var word1: UInt64

        @inlinable
        public init(word0: UInt64, word1: UInt64) {
            self.word0 = word0
            self.word1 = word1
        }

        /// A fresh descriptor. Its second word is zero, so that "done" reads as not done.
        @inlinable public init(bufferAddress: UInt64) { self.init(word0: bufferAddress, word1: 0) }

        /// DMA address of the buffer. Zero is a null descriptor: it takes no data and comes back with `done` set and
        /// every other bit as it was. 82574 datasheet §7.1.7.2.
        @inlinable public var bufferAddress: UInt64 {
            get { word0 }
            set { word0 = newValue }
        }
    }

    /// Receive descriptor as the device writes it back, extended format.
    @frozen
    public struct RxWriteBack: Descriptor {
        public var word0: UInt64
        public var word1: UInt64

        @inlinable
        public init(word0: UInt64, word1: UInt64) {
            self.word0 = word0
            self.word1 = word1
        }

        @inlinable
        public init(
            status: RxStatus, length: UInt16, vlanTag: UInt16 = 0, rssHash: UInt32 = 0, rssType: UInt8 = 0,
            queue: UInt8 = 0
        ) {
            word0 = UInt64(rssType & 0xf) | UInt64(queue & 0x1f) &<< 8 | UInt64(rssHash) &<< 32
            word1 = UInt64(status.rawValue) | UInt64(length) &<< 32 | UInt64(vlanTag) &<< 48
        }

        /// RSS type that was hashed: 0 none, 1 TCP/IPv4, 2 IPv4, 3 TCP/IPv6 extended, 4 IPv6 extended, 5 IPv6.
        /// QEMU hw/net/e1000x_regs.h E1000_MRQ_RSS_TYPE_*.
        @inlinable public var rssType: UInt8 { UInt8(truncatingIfNeeded: word0.bits(0, 4)) }
        /// Receive queue.
        @inlinable public var queue: UInt8 { UInt8(truncatingIfNeeded: word0.bits(8, 5)) }
        /// RSS hash, if RXCSUM.packetChecksumDisable.
        @inlinable public var rssHash: UInt32 { UInt32(truncatingIfNeeded: word0 &>> 32) }
        /// IPv4 identification, if not RXCSUM.packetChecksumDisable.
        @inlinable public var ipIdentification: UInt16 { UInt16(truncatingIfNeeded: word0 &>> 32) }
        /// Packet checksum, if not RXCSUM.packetChecksumDisable.
        @inlinable public var packetChecksum: UInt16 { UInt16(truncatingIfNeeded: word0 &>> 48) }
        /// Status and errors.
        @inlinable public var status: RxStatus { RxStatus(rawValue: UInt32(truncatingIfNeeded: word1)) }
        /// Bytes in this descriptor's buffer. The device's number: compare it with the buffer before use.
        @inlinable public var length: UInt16 { UInt16(truncatingIfNeeded: word1 &>> 32) }
        /// 802.1Q tag, if status has vlanPacket.
        @inlinable public var vlanTag: UInt16 { UInt16(truncatingIfNeeded: word1 &>> 48) }
    }

    /// Legacy receive descriptor, both ways: the address stays when the device writes back.
    @frozen
    public struct RxLegacyDescriptor: Descriptor {
        public var word0: UInt64
        public var word1: UInt64

        @inlinable
        public init(word0: UInt64, word1: UInt64) {
            self.word0 = word0
            self.word1 = word1
        }

        @inlinable public init(bufferAddress: UInt64) { self.init(word0: bufferAddress, word1: 0) }

        /// DMA address of the buffer.
        @inlinable public var bufferAddress: UInt64 { word0 }
        /// Bytes in this descriptor's buffer. The device's number: compare it with the buffer before use.
        @inlinable public var length: UInt16 {
            get { UInt16(truncatingIfNeeded: word1) }
            set { word1 = word1.replacing(0, 16, with: UInt64(newValue)) }
        }
        /// Packet checksum from RXCSUM.start on.
        @inlinable public var packetChecksum: UInt16 {
            get { UInt16(truncatingIfNeeded: word1 &>> 16) }
            set { word1 = word1.replacing(16, 16, with: UInt64(newValue)) }
        }
        /// The 8 status and 8 error bits, moved to where the extended format has them.
        @inlinable public var status: RxStatus {
            get {
                let status = UInt32(truncatingIfNeeded: word1.bits(32, 8))
                let errors = UInt32(truncatingIfNeeded: word1.bits(40, 8))
                return RxStatus(rawValue: status | errors &<< 24)
            }
            set {
                word1 = word1.replacing(32, 8, with: UInt64(newValue.rawValue & 0xff))
                word1 = word1.replacing(40, 8, with: UInt64(newValue.rawValue &>> 24))
            }
        }
        /// 802.1Q tag, if status has vlanPacket.
        @inlinable public var vlanTag: UInt16 {
            get { UInt16(truncatingIfNeeded: word1 &>> 48) }
            set { word1 = word1.replacing(48, 16, with: UInt64(newValue)) }
        }
    }
}
