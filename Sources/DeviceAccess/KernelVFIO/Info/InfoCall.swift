import LinuxIO

/// Info ioctls of VFIO: asked with the fixed structure, and again with as many bytes as the kernel then wants for its
/// capabilities (linux/vfio.h: `argsz` is updated, `cap_offset` is 0 until there is room).
enum InfoCall {
    /// The fixed structure that goes in: argsz, flags and, for what has several, an index at byte 8.
    struct Fixed {
        let byteCount: Int
        let index: Int?
    }

    /// More than any device has: 65536 areas or windows of 16 bytes.
    static let maximumByteCount = 1 << 20

    static func ask(
        _ file: borrowing OwnedDescriptor, _ request: UInt, fixed: Fixed, call: String, on subject: @autoclosure () -> String
    ) throws(SystemCallError) -> InfoBytes {
        var bytes = InfoCall.request(fixed, byteCount: fixed.byteCount)
        try file.ioctl(request, bytes: &bytes, call: call, on: subject())
        guard let wanted = InfoBytes(bytes).u32(at: 0), Int(wanted) > fixed.byteCount else { return InfoBytes(bytes) }
        bytes = InfoCall.request(fixed, byteCount: min(Int(wanted), maximumByteCount))
        try file.ioctl(request, bytes: &bytes, call: call, on: subject())
        return InfoBytes(bytes)
    }

    private static func request(_ fixed: Fixed, byteCount: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: byteCount)
        write(UInt32(truncatingIfNeeded: byteCount), to: &bytes, at: 0)
        if let index = fixed.index { write(UInt32(truncatingIfNeeded: index), to: &bytes, at: 8) }
        return bytes
    }

    private static func write(_ value: UInt32, to bytes: inout [UInt8], at offset: Int) {
        for index in 0..<4 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index)) }
    }
}
