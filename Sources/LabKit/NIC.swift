/// A NIC that QEMU plays in the guest. Each family's ports share a hub of their own, and stand where a test can name them.
public enum NIC: String, CaseIterable, Sendable {
    case e1000e
    /// virtio-net behind the IOMMU, without the legacy interface.
    case virtioNet = "virtio-net"
    /// The same with packed virtqueues.
    case virtioNetPacked = "virtio-net-packed"
    /// The physical function of an 82576; QEMU 11 has it. It is left to no driver: `make-vfs` in the guest gives it to the
    /// kernel's and makes virtual functions.
    case igb
    /// e1000e behind one conventional PCI bridge.
    case e1000eBridged = "e1000e-bridged"
    /// e1000e as functions of one PCI Express device.
    case e1000eFunctions = "e1000e-functions"

    /// Where a port is on the guest's PCI buses: port 0 of e1000e is "0000:00:03.0". For the last two, if the guest has nothing
    /// else behind root ports; ``Guest/address(ofPort:of:)`` knows them all.
    public func address(ofPort index: Int) -> String {
        switch self {
        case .e1000e: "0000:00:\(hexadecimal(0x03 + index)).0"
        case .virtioNet: "0000:00:\(hexadecimal(0x10 + index)).0"
        case .virtioNetPacked: "0000:00:\(hexadecimal(0x14 + index)).0"
        case .igb: "0000:\(hexadecimal(1 + index)):00.0"
        case .e1000eBridged: "0000:02:\(hexadecimal(1 + index)).0"
        case .e1000eFunctions: "0000:01:00.\(index)"
        }
    }

    /// Where a virtual function of an igb is, after `make-vfs`: they stand two functions apart.
    public static func address(ofVirtualFunction index: Int, ofPort port: Int = 0) -> String {
        "0000:\(hexadecimal(1 + port)):\(hexadecimal(0x10 + index / 4)).\(index % 4 * 2)"
    }
}

func hexadecimal(_ number: Int) -> String {
    let digits = String(number, radix: 16)
    return digits.count < 2 ? "0" + digits : digits
}
