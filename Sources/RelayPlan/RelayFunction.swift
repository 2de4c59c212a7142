public import DeviceAccess

/// A PCI function that the guest is to have through the relay.
public struct RelayFunction: Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        /// A model in the relay's own process, by its family: `e1000e`, `virtio-net`, ...
        case model(String)
        /// A function of this machine, bound to vfio-pci.
        case host(PCIAddress)
        /// What another vfio-user server serves at this socket.
        case served(String)
    }

    /// What it is called in QEMU (its `id`) and in the names of files: a letter, then letters, digits, `-`, `_` and `.`.
    public let name: String
    public let kind: Kind

    public init(name: String, kind: Kind) {
        self.name = name
        self.kind = kind
    }

    /// `e1000e model`, `0000:03:00.0`, `vfio-user at /run/nic.sock`.
    var kindText: String {
        switch kind {
        case .model(let family): "\(family) model"
        case .host(let address): address.description
        case .served(let socket): "vfio-user at \(socket)"
        }
    }

    /// QEMU's id_wellformed(), and short enough for a socket's path. What the plan names itself begins with `unic-`.
    var hasUsableName: Bool {
        guard let first = name.utf8.first, Self.isLetter(first), name.utf8.count <= 40, !name.hasPrefix("unic-") else { return false }
        return name.utf8.allSatisfy { Self.isLetter($0) || (0x30...0x39).contains($0) || [0x2d, 0x2e, 0x5f].contains($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) }
}
