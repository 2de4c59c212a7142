// Where everything lies in a wire's file. All words are little-endian and aligned to their size. Every word has ONE writer:
// whoever holds the lock of the end that it belongs to. docs/wire.md explains why that is enough.
//
//     0        magic, version, number of ends, bytes a ring      whoever makes the file
//     128      membership: changes with every join and leave     under the membership lock
//     256      64 generations, 32 bits each; odd: joined         the end
//     4096     64 × 256: wanted unicast address; +128 armed      the end
//     32768    64 × 64 × 256: tail; +128 head                    sender; receiver
//     1081344  64 × 64 rings of 256 KiB                          sender
//
// Pairs are ordered receiver first: what one end looks at while it polls lies together.

enum WireLayout {
    /// So many that a host's ranks and a monitor meet on one wire; a bit mask of ends fits a word.
    static let endCount = 64
    /// 28 frames of the largest size, 2048 of up to 120 bytes. A power of two.
    static let ringByteCount = 262_144
    static let magic: UInt64 = 0x6572_6977_6369_6e75  // "unicwire"
    static let version: UInt32 = 2

    static let magicOffset = 0
    static let versionOffset = 8
    static let endCountOffset = 12
    static let ringByteCountOffset = 16
    static let membershipOffset = 128
    static let indexOffset = 32_768
    static let dataOffset = 1_081_344
    static let byteCount = dataOffset + endCount * endCount * ringByteCount

    static func generationOffset(_ end: Int) -> Int { 256 + end &* 4 }
    static func filterOffset(_ end: Int) -> Int { 4096 + end &* 256 }
    static func armedOffset(_ end: Int) -> Int { 4096 + end &* 256 &+ 128 }
    static func tailOffset(from sender: Int, to receiver: Int) -> Int { indexOffset + (receiver &* endCount &+ sender) &* 256 }
    static func headOffset(from sender: Int, to receiver: Int) -> Int { indexOffset + (receiver &* endCount &+ sender) &* 256 &+ 128 }
    static func ringOffset(from sender: Int, to receiver: Int) -> Int { dataOffset + (receiver &* endCount &+ sender) &* ringByteCount }

    // Bytes of the file that stand for locks; what is stored there does not matter.
    static func lockByte(_ end: Int) -> Int { end }
    static let membershipLockByte = endCount

    // Records: a word with the frame's length, the frame, padded to whole cache lines.
    static let recordAlignment = 64
    static let recordHeaderByteCount = 8
    /// In place of a length: nothing until the ring's end, the next record is at its start.
    static let skipMark: UInt32 = 0xffff_ffff
    /// Ethernet's header (IEEE 802.3 §3.1): two addresses and a type.
    static let minimumFrameByteCount = 14

    static func recordByteCount(_ frameByteCount: Int) -> Int {
        (frameByteCount &+ recordHeaderByteCount &+ recordAlignment &- 1) & ~(recordAlignment &- 1)
    }

    /// In a filter word, beside the 48 bits of an address as they lie in a frame: the end wants this one only.
    static let filterIsSet: UInt64 = 1 << 63
}
