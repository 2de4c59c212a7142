/// A PCI function's place: `0000:01:00.0`, in hexadecimal domain, bus, device and function, as sysfs names it.
public struct PCIAddress: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Up to 32 bits: some host bridges get domains past 16 bits.
    public let domain: UInt32
    public let bus: UInt8
    /// 0…31.
    public let device: UInt8
    /// 0…7.
    public let function: UInt8

    /// nil if `device` or `function` is out of range.
    public init?(domain: UInt32 = 0, bus: UInt8, device: UInt8, function: UInt8) {
        guard device < 32, function < 8 else { return nil }
        self.domain = domain
        self.bus = bus
        self.device = device
        self.function = function
    }

    /// Parses `DDDD:BB:dd.f`, or `BB:dd.f` for domain 0. nil for anything else, with or without spaces around it.
    public init?(_ text: some StringProtocol) {
        let dotted = text.split(separator: ".", omittingEmptySubsequences: false)
        guard dotted.count == 2, let function = PCIAddress.hexadecimal(dotted[1], digits: 1...1) else { return nil }
        let parts = dotted[0].split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2 || parts.count == 3,
            let bus = PCIAddress.hexadecimal(parts[parts.count - 2], digits: 2...2),
            let device = PCIAddress.hexadecimal(parts[parts.count - 1], digits: 2...2)
        else { return nil }
        var domain: UInt32 = 0
        if parts.count == 3 {
            guard let given = PCIAddress.hexadecimal(parts[0], digits: 4...8) else { return nil }
            domain = given
        }
        self.init(
            domain: domain, bus: UInt8(truncatingIfNeeded: bus), device: UInt8(truncatingIfNeeded: device),
            function: UInt8(truncatingIfNeeded: function))
    }

    /// As sysfs writes it.
    public var description: String {
        "\(PCIAddress.padded(domain, 4)):\(PCIAddress.padded(UInt32(bus), 2)):\(PCIAddress.padded(UInt32(device), 2)).\(function)"
    }

    public static func < (a: PCIAddress, b: PCIAddress) -> Bool {
        (a.domain, a.bus, a.device, a.function) < (b.domain, b.bus, b.device, b.function)
    }

    private static func hexadecimal(_ text: some StringProtocol, digits: ClosedRange<Int>) -> UInt32? {
        guard digits.contains(text.utf8.count), text.utf8.allSatisfy({ isHexDigit($0) }) else { return nil }
        return UInt32(text, radix: 16)
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }

    private static func padded(_ value: UInt32, _ width: Int) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
