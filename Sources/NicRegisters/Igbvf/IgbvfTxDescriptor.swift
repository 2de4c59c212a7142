/// Advanced transmit descriptors of the 82576: data, and context.
///
/// Layouts: Linux drivers/net/ethernet/intel/igbvf/vf.h (union e1000_adv_tx_desc, struct e1000_adv_tx_context_desc); bits:
/// E1000_ADVTXD_*, E1000_TXD_*. Command bits are where the 82574L has them.

extension Igbvf {
    /// Which layout a transmit descriptor has. E1000_ADVTXD_DTYP_CTXT, _DATA; the legacy format is not the driver's.
    public enum TxDescriptorKind: Sendable, Equatable {
        case context, data
        /// Legacy, or a type that the device does not know.
        case other

        /// Tells from word 1. Takes any word.
        @inlinable
        public init(word1: UInt64) {
            guard word1.bits(29, 1) == 1 else {
                self = .other
                return
            }
            switch word1.bits(20, 4) {
            case 2: self = .context
            case 3: self = .data
            default: self = .other
            }
        }
    }

    /// Data descriptor.
    @frozen
    public struct TxDataDescriptor: Descriptor {
        public var word0: UInt64
        public var word1: UInt64

        @inlinable
        public init(word0: UInt64, word1: UInt64) {
            self.word0 = word0
            self.word1 = word1
        }

        /// - Parameter payloadLength: bytes of the whole frame, without FCS.
        @inlinable
        public init(
            bufferAddress: UInt64, length: UInt16, command: E1000E.TxCommand, options: E1000E.TxPacketOptions = [],
            payloadLength: UInt32
        ) {
            word0 = bufferAddress
            word1 =
                UInt64(length) | 3 &<< 20 | UInt64(command.union(.extended).rawValue & 0xff00_0000)
                | UInt64(options.rawValue & 3) &<< 40 | UInt64(payloadLength & 0x3_ffff) &<< 46
        }

        /// DMA address of the data.
        @inlinable public var bufferAddress: UInt64 { word0 }
        /// Bytes of data in this buffer.
        @inlinable public var length: UInt16 { UInt16(truncatingIfNeeded: word1) }
        @inlinable public var command: E1000E.TxCommand { E1000E.TxCommand(rawValue: UInt32(truncatingIfNeeded: word1) & 0xff00_0000) }
        /// E1000_TXD_STAT_DD of the written-back status.
        @inlinable public var isDone: Bool {
            get { word1.bits(32, 1) == 1 }
            set { word1 = word1.replacing(32, 1, with: newValue ? 1 : 0) }
        }
        /// Which of two contexts the frame uses. igb_core.c igb_setup_tx_offloads.
        @inlinable public var contextIndex: Int { Int(word1.bits(36, 1)) }
        /// E1000_TXD_POPTS_IXSM, _TXSM, eight bits up in olinfo_status.
        @inlinable public var options: E1000E.TxPacketOptions {
            E1000E.TxPacketOptions(rawValue: UInt8(truncatingIfNeeded: word1.bits(40, 2)))
        }
        /// E1000_ADVTXD_PAYLEN_SHIFT.
        @inlinable public var payloadLength: UInt32 { UInt32(truncatingIfNeeded: word1.bits(46, 18)) }
    }

    /// Context descriptor: where the headers are that the data descriptors after it have.
    @frozen
    public struct TxContextDescriptor: Descriptor {
        public var word0: UInt64
        public var word1: UInt64

        @inlinable
        public init(word0: UInt64, word1: UInt64) {
            self.word0 = word0
            self.word1 = word1
        }

        /// - Parameters: header lengths in bytes, link below 128, network below 512.
        @inlinable
        public init(linkHeaderByteCount: Int, networkHeaderByteCount: Int, isIPv4: Bool, isTCP: Bool, index: Int = 0) {
            word0 =
                UInt64(truncatingIfNeeded: networkHeaderByteCount & 0x1ff) | UInt64(truncatingIfNeeded: linkHeaderByteCount & 0x7f) &<< 9
            word1 =
                (isIPv4 ? 1 &<< 10 : 0) | (isTCP ? 1 &<< 11 : 0) | 2 &<< 20 | UInt64(E1000E.TxCommand.extended.rawValue)
                | UInt64(truncatingIfNeeded: index & 1) &<< 36
        }

        /// E1000_ADVTXD_MACLEN_SHIFT.
        @inlinable public var linkHeaderByteCount: Int { Int(word0.bits(9, 7)) }
        @inlinable public var networkHeaderByteCount: Int { Int(word0.bits(0, 9)) }
        /// E1000_ADVTXD_TUCMD_IPV4.
        @inlinable public var isIPv4: Bool { word1.bits(10, 1) == 1 }
        /// E1000_ADVTXD_TUCMD_L4T_TCP; else UDP, or SCTP.
        @inlinable public var isTCP: Bool { word1.bits(11, 1) == 1 }
        /// E1000_ADVTXD_TUCMD_L4T_SCTP.
        @inlinable public var isSCTP: Bool { word1.bits(12, 1) == 1 }
        /// Which of two contexts is loaded.
        @inlinable public var index: Int { Int(word1.bits(36, 1)) }
    }
}
