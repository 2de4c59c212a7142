public import DeviceAccess

/// A PCI function of this machine, as sysfs shows it at one moment.
public struct PCIFunction: Equatable, Sendable {
    /// A network interface that the kernel's driver made of the function. Only those of this network namespace are seen.
    public struct Interface: Equatable, Sendable {
        public let name: String
        /// Somebody set it up (IFF_UP).
        public let isUp: Bool
        /// RFC 2863's state as the kernel says it: up, down, dormant, unknown, ...
        public let operationalState: String
        public let carriesDefaultRoute: Bool
    }

    /// Another function of the same IOMMU group.
    public struct Member: Equatable, Sendable {
        public let address: String
        /// nil: no driver is bound.
        public let driver: String?
        /// A kernel driver that does DMA has it: the group cannot be given away.
        public let holdsGroup: Bool
    }

    public struct Group: Equatable, Sendable {
        public let number: String
        /// Made up by vfio's no-IOMMU mode.
        public let isNoIOMMU: Bool
        public let others: [Member]
    }

    /// A device file of VFIO.
    public struct Node: Equatable, Sendable {
        public let path: String
        /// Owner's user id.
        public let owner: UInt32
        public let permissions: UInt32
        /// Whether the calling user may open it.
        public var isOpenToCaller: Bool
        /// `name (pid N)` of each process that has it open, as far as the caller may see that.
        public let holders: [String]
    }

    /// Single-root I/O virtualisation: one of the two sides.
    public struct SRIOV: Equatable, Sendable {
        /// The function that this one is a virtual function of.
        public let physicalFunction: String?
        /// Of a physical function: virtual functions that are there, and that are possible.
        public let virtualFunctionCount: Int
        public let maximumVirtualFunctionCount: Int
    }

    public let address: PCIAddress
    public let vendor: UInt16
    public let device: UInt16
    /// Base class, subclass, interface: 0x020000 is an Ethernet controller.
    public let classCode: UInt32
    public let driver: String?
    /// The driver is vfio-pci or one built on it.
    public let isBoundToVFIO: Bool
    public let interfaces: [Interface]
    /// A kernel network driver has the function and no interface is seen here: it may be in another network namespace.
    public let interfaceMayBeElsewhere: Bool
    public let group: Group?
    /// `/dev/vfio/N`, `/dev/vfio/noiommu-N`.
    public var groupNode: Node?
    /// `/dev/vfio/devices/vfioN`, of kernels with CONFIG_VFIO_DEVICE_CDEV.
    public var deviceNode: Node?
    /// nil: the firmware does not say, or there is but one.
    public let numaNode: Int?
    public let sriov: SRIOV?

    public var family: NICFamily? { NICFamily(vendor: vendor, device: device) }

    /// PCI class 02h: network controllers (PCI Code and ID Assignment Specification §1.3).
    public var isNetworkController: Bool { classCode >> 16 == 0x02 }

    /// What unic's other commands call it; nil if it has no driver there.
    public var url: String? {
        guard family?.driver != nil else { return nil }
        return group?.isNoIOMMU == true ? "vfio:\(address)?iommu=noiommu" : "vfio:\(address)"
    }

    /// The name and what it is, for a message.
    public var title: String { "\(address) (\(family?.name ?? "\(hexadecimal(vendor)):\(hexadecimal(device))"))" }

    /// `8086:10d3`.
    public var identity: String { "\(hexadecimal(vendor)):\(hexadecimal(device))" }

    private func hexadecimal(_ value: UInt16) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }
}
