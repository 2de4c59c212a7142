/// NICs by PCI identity: what they are called, and whether unic drives them.
public struct NICFamily: Equatable, Sendable {
    public let name: String
    /// The driver in unic; nil: the function is known and not driven.
    public let driver: String?

    /// nil for a NIC that unic does not know.
    public init?(vendor: UInt16, device: UInt16) {
        switch (vendor, device) {
        case (0x8086, 0x10d3): (name, driver) = ("Intel 82574L", "e1000e")
        case (0x8086, 0x10ca): (name, driver) = ("Intel 82576 virtual function", "igbvf")
        case (0x8086, 0x10c9): (name, driver) = ("Intel 82576", nil)
        // virtio 1.2 §5.1.1, §4.1.2: 0x1040 + 1, and 0x1000 for a transitional device.
        case (0x1af4, 0x1041): (name, driver) = ("virtio-net", "virtio-net")
        case (0x1af4, 0x1000): (name, driver) = ("virtio-net, transitional", "virtio-net")
        default: return nil
        }
    }
}
