import DeviceMemory

/// Internet checksums, word by word as RFC 1071 §4.1 has them: independent of the transport's own.
public enum Checksums {
    public static func sum(_ bytes: some Sequence<UInt8>) -> UInt16 {
        var sum: UInt32 = 0
        var high: UInt8?
        for byte in bytes {
            if let first = high {
                sum += UInt32(first) << 8 | UInt32(byte)
                high = nil
                if sum > 0xffff { sum = sum & 0xffff + 1 }
            } else {
                high = byte
            }
        }
        if let first = high {
            sum += UInt32(first) << 8
            if sum > 0xffff { sum = sum & 0xffff + 1 }
        }
        return UInt16(sum)
    }

    /// Whether an IPv4 header of 20 bytes at byte 14 adds up.
    public static func isIPRight(_ frame: [UInt8]) -> Bool { frame.count >= 34 && sum(frame[14..<34]) == 0xffff }

    /// Whether the datagram of a frame with such a header adds up (RFC 768).
    public static func isUDPRight(_ frame: [UInt8]) -> Bool {
        guard frame.count >= 42 else { return false }
        let length = Int(frame[38]) << 8 | Int(frame[39])
        guard length >= 8, 34 + length <= frame.count else { return false }
        let pseudo = Array(frame[26..<34]) + [0, frame[23], frame[38], frame[39]]
        return sum(pseudo + frame[34..<34 + length]) == 0xffff
    }

    /// What a NIC that looks says of a frame.
    static func found(in frame: [UInt8]) -> PacketFlags {
        guard frame.count >= 34, frame[12] == 8, frame[13] == 0, frame[14] == 0x45 else { return [] }
        guard isIPRight(frame) else { return [.ipChecksumChecked, .ipChecksumBad] }
        guard frame[23] == 17, frame.count >= 42, frame[40] != 0 || frame[41] != 0 else { return .ipChecksumChecked }
        return isUDPRight(frame)
            ? [.ipChecksumChecked, .udpChecksumChecked] : [.ipChecksumChecked, .udpChecksumChecked, .transportChecksumBad]
    }
}
