/// The mailbox between a virtual function and its PF: register bits and messages.
///
/// Bits and numbers: Linux drivers/net/ethernet/intel/igbvf/mbx.h (E1000_V2PMAILBOX_*, E1000_VF_*, E1000_VT_*); what only
/// the PF's side has: igb/e1000_mbx.h. What the PF does with a message: igb/igb_main.c (igb_rcv_msg_from_vf).

extension Igbvf {
    /// V2PMAILBOX. E1000_V2PMAILBOX_*.
    @frozen
    public struct Mailbox: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// There is a message for the PF.
        @inlinable public static var request: Self { Self(rawValue: 1 << 0) }
        /// The PF's message was read.
        @inlinable public static var acknowledge: Self { Self(rawValue: 1 << 1) }
        /// The function owns the memory; granted unless the PF does.
        @inlinable public static var functionOwns: Self { Self(rawValue: 1 << 2) }
        /// The PF owns the memory.
        @inlinable public static var physicalOwns: Self { Self(rawValue: 1 << 3) }
        /// The PF wrote a message. A read clears.
        @inlinable public static var physicalWrote: Self { Self(rawValue: 1 << 4) }
        /// The PF read the function's message. A read clears.
        @inlinable public static var physicalRead: Self { Self(rawValue: 1 << 5) }
        /// The PF is in reset.
        @inlinable public static var resetInProgress: Self { Self(rawValue: 1 << 6) }
        /// The PF came out of reset. A read clears.
        @inlinable public static var resetDone: Self { Self(rawValue: 1 << 7) }

        /// What a read clears. E1000_V2PMAILBOX_R2C_BITS.
        @inlinable public static var clearedByRead: Self { [.physicalWrote, .physicalRead, .resetDone] }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("REQ", .request), ("ACK", .acknowledge), ("VFU", .functionOwns), ("PFU", .physicalOwns), ("PFSTS", .physicalWrote),
                ("PFACK", .physicalRead), ("RSTI", .resetInProgress), ("RSTD", .resetDone),
            ]
        }
    }

    /// The first word of a message or of its answer.
    @frozen
    public struct MessageHeader: RegisterValue {
        public var bits: UInt32
        @inlinable public init(bits: UInt32) { self.bits = bits }

        /// - Parameter info: 8 bits of more information. E1000_VT_MSGINFO_MASK.
        @inlinable
        public init(_ kind: MessageKind, info: UInt32 = 0) { bits = UInt32(kind.rawValue) | (info & 0xff) &<< 16 }

        /// nil for a number that is no message.
        @inlinable public var kind: MessageKind? { MessageKind(rawValue: UInt16(truncatingIfNeeded: bits)) }
        @inlinable public var info: UInt32 { bits &>> 16 & 0xff }

        /// The PF did it. E1000_VT_MSGTYPE_ACK.
        @inlinable public var isAcknowledged: Bool { bits & Self.acknowledged != 0 }
        /// The PF refused. E1000_VT_MSGTYPE_NACK.
        @inlinable public var isRefused: Bool { bits & Self.refused != 0 }
        /// The PF takes messages: the function has shaken hands since the PF's last reset. E1000_VT_MSGTYPE_CTS.
        @inlinable public var isClearToSend: Bool { bits & Self.clearToSend != 0 }

        @inlinable public static var acknowledged: UInt32 { 0x8000_0000 }
        @inlinable public static var refused: UInt32 { 0x4000_0000 }
        @inlinable public static var clearToSend: UInt32 { 0x2000_0000 }
    }

    /// Messages. E1000_VF_*, E1000_PF_CONTROL_MSG.
    public enum MessageKind: UInt16, Sendable {
        /// The function was reset; the answer brings its MAC address, or is a refusal when the PF has none for it.
        case reset = 1
        /// Its own address (info 0), or its further ones (``AddressRequest``).
        case setAddress = 2
        /// Hashes of the multicast addresses that it wants, two a word; info says how many.
        case setMulticast = 3
        /// Joins (info 1) or leaves (info 0) a VLAN.
        case setVLAN = 4
        /// The longest frame that it receives, with FCS.
        case setReceiveLimit = 5
        /// Which promiscuous modes are on. igb/e1000_mbx.h E1000_VF_SET_PROMISC.
        case setPromiscuous = 6
        /// The PF's own message: how it is.
        case control = 0x100
    }

    /// Info of `setAddress` for the further addresses. E1000_VF_MAC_FILTER_CLR, _ADD.
    public enum AddressRequest: UInt32, Sendable {
        case own = 0
        case clearFurther = 1
        case addFurther = 2
    }

    /// Info of `setPromiscuous`: all multicast. igb/e1000_mbx.h E1000_VF_SET_PROMISC_MULTICAST. The PF refuses all others.
    @inlinable public static var promiscuousMulticast: UInt32 { 2 }

    /// Hashes that a message holds: half words of all words but the first. igb/igb.h IGB_MAX_VF_MC_ENTRIES.
    @inlinable public static var multicastHashCount: Int { 30 }

    /// The 12-bit hash of a multicast address, by its last two bytes. igbvf/vf.c e1000_hash_mc_addr_vf.
    @inlinable
    public static func multicastHash(byte4: UInt8, byte5: UInt8) -> UInt16 {
        UInt16(truncatingIfNeeded: E1000E.multicastHash(byte4: byte4, byte5: byte5, multicastOffset: 0))
    }

    /// The words of a multicast message.
    /// - Parameter hashes: at most ``multicastHashCount``.
    public static func multicastMessage(_ hashes: [UInt16]) -> [UInt32] {
        var words = [MessageHeader(.setMulticast, info: UInt32(hashes.count)).bits]
        for first in stride(from: 0, to: hashes.count, by: 2) {
            let high = first + 1 < hashes.count ? UInt32(hashes[first + 1]) : 0
            words.append(UInt32(hashes[first]) | high << 16)
        }
        return words
    }

    /// The words of an address message: six bytes in memory order from the second word on.
    /// - Parameter address: 48 bits, the first byte on the wire on top.
    public static func addressMessage(_ request: AddressRequest, _ address: UInt64) -> [UInt32] {
        let (low, high) = addressWords(address)
        return [MessageHeader(.setAddress, info: request.rawValue).bits, low, high]
    }

    /// An address as a message has it, and back. 48 bits, the first byte on the wire on top.
    public static func addressWords(_ address: UInt64) -> (low: UInt32, high: UInt32) {
        let bytes = address.byteSwapped >> 16
        return (UInt32(truncatingIfNeeded: bytes), UInt32(truncatingIfNeeded: bytes >> 32))
    }

    public static func address(low: UInt32, high: UInt32) -> UInt64 {
        (UInt64(low) | UInt64(high & 0xffff) << 32).byteSwapped >> 16
    }
}
