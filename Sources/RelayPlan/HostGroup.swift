import DeviceAccess
import LinuxIO

/// A group of this machine's IOMMU: functions that it cannot keep apart, so that only one domain is possible for all.
public struct HostGroup: Equatable, Sendable {
    public struct Member: Equatable, Sendable {
        /// As sysfs writes it; a group may have devices that are not on PCI.
        public let address: String
        /// nil: no driver is bound.
        public let driver: String?

        public init(address: String, driver: String?) {
            self.address = address
            self.driver = driver
        }
    }

    public let number: Int
    /// Made up by vfio's no-IOMMU mode: nothing stands behind it.
    public let isNoIOMMU: Bool
    /// Ascending by address.
    public let members: [Member]

    public init(number: Int, isNoIOMMU: Bool = false, members: [Member]) {
        self.number = number
        self.isNoIOMMU = isNoIOMMU
        self.members = members
    }

    /// The members whose kernel drivers do DMA: while there is one, VFIO refuses the group.
    var holders: [Member] { members.filter { !SysfsDevice.leavesGroupViable(driver: $0.driver) } }

    /// All groups, ascending.
    /// - Parameter root: what stands before /sys.
    public static func readAll(root: String = "") -> [HostGroup] {
        let folder = "\(root)/sys/kernel/iommu_groups"
        let numbers = ((try? directoryEntryNames(folder)) ?? []).compactMap { Int($0) }.sorted()
        return numbers.map { number in
            let devices = "\(folder)/\(number)/devices"
            let members = ((try? directoryEntryNames(devices)) ?? []).map { address in
                let driver = (try? symbolicLinkTarget(of: "\(devices)/\(address)/driver"))?.split(separator: "/").last
                return Member(address: address, driver: driver.map(String.init))
            }
            let name = (try? readSmallFile("\(folder)/\(number)/name"))?.split(whereSeparator: \.isWhitespace).first
            return HostGroup(number: number, isNoIOMMU: name == "vfio-noiommu", members: members)
        }
    }
}
