/// Config space in the making: values and which of their bits the driver may write.
struct ConfigSpaceBuilder {
    var bytes = [UInt8](repeating: 0, count: 256)
    var writable = [UInt8](repeating: 0, count: 256)

    mutating func put8(_ offset: Int, _ value: UInt8, writable mask: UInt8 = 0) {
        bytes[offset] = value
        writable[offset] = mask
    }
    mutating func put16(_ offset: Int, _ value: UInt16, writable mask: UInt16 = 0) {
        put8(offset, UInt8(value & 0xff), writable: UInt8(mask & 0xff))
        put8(offset + 1, UInt8(value >> 8), writable: UInt8(mask >> 8))
    }
    mutating func put32(_ offset: Int, _ value: UInt32, writable mask: UInt32 = 0) {
        put16(offset, UInt16(value & 0xffff), writable: UInt16(mask & 0xffff))
        put16(offset + 2, UInt16(value >> 16), writable: UInt16(mask >> 16))
    }
    mutating func capability(_ offset: Int, id: UInt8, next: Int) {
        put8(offset, id)
        put8(offset + 1, UInt8(next))
    }
}
