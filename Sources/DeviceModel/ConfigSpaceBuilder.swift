/// Config space in the making: values and which of their bits the driver may write.
///
/// 4096 bytes, as PCI Express functions have (PCI Express Base 3.0 §7.2.2), without extended capabilities. QEMU's root ports
/// read registers of a function's PCI Express capability that version 1 of it has not got: close to the end of 256 bytes
/// they would lie outside, and QEMU ends itself by an assertion.
public struct ConfigSpaceBuilder {
    public static let byteCount = 4096

    public private(set) var bytes = [UInt8](repeating: 0, count: byteCount)
    public private(set) var writable = [UInt8](repeating: 0, count: byteCount)

    public init() {}

    public mutating func put8(_ offset: Int, _ value: UInt8, writable mask: UInt8 = 0) {
        bytes[offset] = value
        writable[offset] = mask
    }
    public mutating func put16(_ offset: Int, _ value: UInt16, writable mask: UInt16 = 0) {
        put8(offset, UInt8(value & 0xff), writable: UInt8(mask & 0xff))
        put8(offset + 1, UInt8(value >> 8), writable: UInt8(mask >> 8))
    }
    public mutating func put32(_ offset: Int, _ value: UInt32, writable mask: UInt32 = 0) {
        put16(offset, UInt16(value & 0xffff), writable: UInt16(mask & 0xffff))
        put16(offset + 2, UInt16(value >> 16), writable: UInt16(mask >> 16))
    }
    public mutating func capability(_ offset: Int, id: UInt8, next: Int) {
        put8(offset, id)
        put8(offset + 1, UInt8(next))
    }
}
