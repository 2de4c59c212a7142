/// A way to reach a function through the kernel's VFIO, in the order in which they are tried.
public enum IOMMUBackend: String, Sendable, CaseIterable, CustomStringConvertible {
    /// The device's own file and /dev/iommu (Linux 6.6).
    case iommufd
    /// Group and container, /dev/vfio/N and /dev/vfio/vfio, with an IOMMU of type 1v2.
    case type1
    /// A group that vfio made up, with no IOMMU: the device reaches all of memory.
    case noiommu

    public var description: String { rawValue }
}

/// Which backends may be used.
public struct BackendRequest: Equatable, Sendable {
    /// Only this one.
    public var named: IOMMUBackend?
    /// No IOMMU is fine if there is none.
    public var allowsNoIOMMU: Bool

    public init(named: IOMMUBackend? = nil, allowsNoIOMMU: Bool = false) {
        self.named = named
        self.allowsNoIOMMU = allowsNoIOMMU
    }

    /// What is tried, in this order.
    public var candidates: [IOMMUBackend] {
        if let named { return [named] }
        return allowsNoIOMMU ? [.iommufd, .type1, .noiommu] : [.iommufd, .type1]
    }
}

/// A backend that was not used, and why.
public struct BackendRefusal: Sendable {
    public let backend: IOMMUBackend
    public let error: DeviceError

    public init(backend: IOMMUBackend, error: DeviceError) {
        self.backend = backend
        self.error = error
    }
}

/// Which backend serves a device, and why not one before it.
public struct BackendChoice: Sendable, CustomStringConvertible {
    /// The device's URL.
    public let device: String
    public let backend: IOMMUBackend
    /// The files that are open.
    public let nodes: [String]
    /// The IOMMU group's number.
    public let group: String?
    public let limits: DMALimits
    /// What would have been taken before.
    public let passedOver: [BackendRefusal]

    /// What is given up with it; to be told at each start.
    public var warnings: [String] { backend == .noiommu ? [BackendChoice.noIOMMUWarning(device)] : [] }

    /// One line.
    public var description: String {
        let group = group.map { ", IOMMU group \($0)" } ?? ""
        let others = passedOver.map { "; not \($0.backend): \($0.error)" }.joined()
        return "\(device): VFIO by \(backend) (\(nodes.joined(separator: ", "))\(group)), \(limits)\(others)"
    }

    static func noIOMMUWarning(_ device: String) -> String {
        "\(device) runs WITHOUT AN IOMMU: the device can read and write all of this machine's memory, a wrong address corrupts the kernel or other processes, a killed program's device may write into memory that somebody else has by then, nothing separates users, and the kernel is tainted."
    }
}

extension DMALimits: CustomStringConvertible {
    public var description: String {
        if seesPhysicalAddresses { return "physical addresses" }
        let count = maximumMappings == .max ? "any number of" : "\(maximumMappings)"
        return
            "IOVA \(windows.map(\.description).joined(separator: ", ")), pages from \(smallestPage) bytes, \(count) mappings"
    }
}
