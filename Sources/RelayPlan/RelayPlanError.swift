public import DeviceAccess

/// Why no plan can be made, and what to do.
public enum RelayPlanError: Error, Equatable, CustomStringConvertible {
    case nothingToRelay
    case noSuchPlace(UInt8)
    case iommuCount(Int)
    case iommusOfEmulator(GuestIOMMU, iommuCount: Int)
    case idleIOMMU(iommuCount: Int, slotCount: Int)
    case unusableName(String)
    case nameTwice(String)
    case deviceTwice(String, first: String, second: String)
    case tooManyFunctions(portCount: Int, placeCount: Int)
    case tooManyInGroup(group: Int, functionCount: Int, placeCount: Int)
    case groupInTwoConnections(group: Int, names: [String])
    case noGroup(name: String, address: PCIAddress)
    case noIOMMU(name: String, address: PCIAddress, group: Int)
    case notViable(name: String, group: Int, member: String, driver: String)
    case notBound(name: String, address: PCIAddress, driver: String?)
    case pathTooLong(String, byteCount: Int, limit: Int)
    case pathCharacter(String, character: String)

    public var description: String {
        switch self {
        case .nothingToRelay: "There is nothing to relay; name at least one function."
        case .noSuchPlace(let place): "Root ports cannot begin at place \(place) of bus 0; take 1 to 24."
        case .iommuCount(let count): "A guest cannot have \(count) IOMMU functions; take 1 to 8."
        case .iommusOfEmulator(let viommu, let count):
            "\(count) IOMMU functions are the relay's to give, and QEMU's \(viommu.rawValue) is one; leave --iommus or --viommu out."
        case .idleIOMMU(let count, let slots):
            "\(count) IOMMUs are more than the \(slots) functions, or groups of functions, that they are for; take fewer IOMMUs."
        case .unusableName(let name):
            "The name '\(printable(name))' will not do; take a letter, then letters, digits, '-', '_' or '.', 40 at most, not beginning with 'unic-'."
        case .nameTwice(let name): "Two functions are called '\(name)'; give each a name of its own."
        case .deviceTwice(let device, let first, let second):
            "'\(first)' and '\(second)' are both \(printable(device)); a device can be given to a guest once."
        case .tooManyFunctions(let ports, let places):
            "These functions want \(ports) root ports, and there are places for \(places); give the guest fewer."
        case .tooManyInGroup(let group, let count, let places):
            "\(count) functions share the host's IOMMU group \(group), and one slot has places for \(places); give the guest fewer of them."
        case .groupInTwoConnections(let group, let names):
            "\(names.map { "'\($0)'" }.joined(separator: " and ")) share the host's IOMMU group \(group), which has one address space, and an IOMMU of QEMU's "
                + "tells what it maps for each by itself; give the guest one of them, or leave --viommu out."
        case .noGroup(let name, let address):
            "'\(name)', \(address), is in no IOMMU group of this machine; see whether it is there and the IOMMU is on: `unic doctor`."
        case .noIOMMU(let name, let address, let group):
            "Group \(group) of '\(name)', \(address), was made up by VFIO's no-IOMMU mode; nothing would keep the guest out of the host's memory."
        case .notViable(let name, let group, let member, let driver):
            "The host's IOMMU group \(group) of '\(name)' has \(printable(member)), which the driver \(printable(driver)) holds; "
                + "bind it to vfio-pci as well, or leave it without a driver."
        case .notBound(let name, let address, let driver):
            "'\(name)', \(address), is bound to \(driver.map(printable) ?? "no driver"); give it to vfio-pci first: `unic bind \(address)`."
        case .pathTooLong(let path, let count, let limit):
            "The path '\(printable(path))' has \(count) bytes, and a socket's may have \(limit); take a shorter directory."
        case .pathCharacter(let path, let character):
            "The path '\(printable(path))' has a \(character) in it, which cannot be said to QEMU; take another directory."
        }
    }

    /// What a terminal would obey is taken out.
    private func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) ? "?" : $0 }))
    }
}
