public import DeviceAccess
public import DeviceMemory

/// This machine as far as userspace NICs are concerned, read once. Nothing is opened or changed.
public struct HostFacts: Equatable, Sendable {
    /// Ascending by address.
    public var functions: [PCIFunction]
    public var iommu: IOMMUFacts
    public var vfio: VFIOFacts
    public var hugepages: [HugepagePool]
    public var caller: CallerFacts

    public var networkControllers: [PCIFunction] { functions.filter(\.isNetworkController) }

    public static func read(_ paths: HostPaths = HostPaths()) -> HostFacts {
        HostFacts(
            functions: PCIFunction.all(paths), iommu: .read(paths), vfio: .read(paths),
            hugepages: HugepagePool.pools(sysRoot: paths.kernel.sys), caller: .read(paths))
    }

    public func function(_ address: PCIAddress) -> PCIFunction? { functions.first { $0.address == address } }
}

extension PCIAddress {
    /// An address as users write it in commands: `0000:01:00.0`, `01:00.0`, or the URL `vfio:0000:01:00.0` with or without
    /// parameters.
    public init?(userText text: String) {
        let bare = text.hasPrefix("vfio:") ? text.dropFirst(5).prefix { $0 != "?" } : text[...]
        self.init(bare)
    }
}
