/// A device's name, the same in every tool: `soft:WIRE?nic=e1000e&mac=…`, `vfio-user:/path`, `vfio:0000:01:00.0?iommu=…`.
public struct DeviceURL: Equatable, Sendable, CustomStringConvertible {
    public enum Scheme: String, Sendable, CaseIterable {
        case soft
        case vfioUser = "vfio-user"
        case vfio
    }

    public let scheme: Scheme
    /// Wire name, socket path or PCI address.
    public let location: String
    /// What follows `?`, in order; each key once.
    public let parameters: [String: String]
    public let description: String
}
