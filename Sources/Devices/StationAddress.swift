import LinuxIO
public import NicDriver
import Synchronization

extension DeviceURL {
    /// A unicast address that is not zero, from text; nil for anything else.
    public static func stationAddress(_ text: String) -> MACAddress? {
        guard let address = MACAddress(text), !address.isMulticast, address.bits != 0 else { return nil }
        return address
    }
}

/// Addresses for devices that bring none.
public enum GeneratedAddress {
    private static let next = Atomic<UInt64>(0)

    /// A locally administered unicast address (IEEE 802: second bit of the first byte set, lowest clear). Within a process
    /// no two are equal; between processes the process's number and eight random bits keep them apart.
    public static func make() -> MACAddress {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        let process = UInt64(UInt32(bitPattern: processIdentifier)) & 0x3f_ffff
        let random = UInt64.random(in: 0...0xff)
        return MACAddress(bits: 0x02 << 40 | random << 32 | process << 10 | (index & 0x3ff))
    }
}
