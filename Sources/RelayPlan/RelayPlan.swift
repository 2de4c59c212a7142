import DeviceAccess

/// What a guest gets through the relay, worked out before anything is started: places, groups, QEMU's arguments and the table
/// that tells the guest of its IOMMU. Nothing is opened or changed.
public struct RelayPlan: Equatable, Sendable {
    public struct Options: Equatable, Sendable {
        /// Where the relay's sockets and the VIOT table are to be.
        public var directory: String
        /// The guest's memory, MiB.
        public var memoryMebibytes: Int
        public var sharing: GuestTopology.Sharing
        /// Who plays the guest's IOMMU.
        public var viommu: GuestIOMMU
        /// Where the root ports begin on the guest's bus 0, 1 … 24. Nothing before it may make a bus.
        public var firstPlace: UInt8
        /// IOMMU functions of the guest, 1 … 8, and 1 if QEMU plays the IOMMU. What is behind the root ports is dealt out to them in turn; functions of one host
        /// group stay together.
        public var iommuCount: Int

        public init(
            directory: String, memoryMebibytes: Int = 1024, sharing: GuestTopology.Sharing = .functions, firstPlace: UInt8 = 1,
            viommu: GuestIOMMU = .relay, iommuCount: Int = 1
        ) {
            self.viommu = viommu
            self.iommuCount = iommuCount
            self.firstPlace = firstPlace
            self.directory = directory
            self.memoryMebibytes = memoryMebibytes
            self.sharing = sharing
        }
    }

    public let options: Options
    public let topology: GuestTopology
    /// The host's groups that the functions are in, with all their members; ascending.
    public let hostGroups: [HostGroup]

    /// - Parameters:
    ///   - functions: in the order that the guest is to find them in; members of a host group follow their first.
    ///   - hostGroups: of this machine, ``HostGroup/readAll(root:)``.
    public init(functions: [RelayFunction], hostGroups: [HostGroup], options: Options) throws(RelayPlanError) {
        guard (1...GuestTopology.iommuPlace - GuestTopology.portPlaceCount).contains(options.firstPlace) else {
            throw .noSuchPlace(options.firstPlace)
        }
        guard (1...GuestTopology.iommuLimit).contains(options.iommuCount) else { throw .iommuCount(options.iommuCount) }
        guard options.viommu == .relay || options.iommuCount == 1 else {
            throw .iommusOfEmulator(options.viommu, iommuCount: options.iommuCount)
        }
        try Self.checkNames(functions)
        let groups = try Self.groups(of: functions, in: hostGroups)
        var slots: [(hostGroup: Int?, functions: [RelayFunction])] = []
        for function in functions {
            let group = groups[function.name]?.number
            if let group, let index = slots.firstIndex(where: { $0.hostGroup == group }) {
                slots[index].functions.append(function)
            } else {
                slots.append((group, [function]))
            }
        }
        guard slots.count <= GuestTopology.portCount else {
            throw .tooManyFunctions(portCount: slots.count, placeCount: GuestTopology.portCount)
        }
        for slot in slots where slot.functions.count > options.sharing.placeCount {
            throw .tooManyInGroup(
                group: slot.hostGroup ?? 0, functionCount: slot.functions.count, placeCount: options.sharing.placeCount)
        }
        if options.viommu != .relay, let slot = slots.first(where: { $0.functions.count > 1 }) {
            throw .groupInTwoConnections(group: slot.hostGroup ?? 0, names: slot.functions.map(\.name))
        }
        guard slots.count >= options.iommuCount else { throw .idleIOMMU(iommuCount: options.iommuCount, slotCount: slots.count) }
        self.options = options
        topology = GuestTopology(
            slots: slots, sharing: options.sharing, firstPlace: options.firstPlace, iommuCount: options.iommuCount)
        self.hostGroups = Set(groups.values.map(\.number)).sorted().compactMap { number in hostGroups.first { $0.number == number } }
        try checkPaths()
    }

    /// Of the first IOMMU.
    public var iommuSocket: String { socket(of: topology.iommus[0]) }
    /// An IOMMU's socket, and with more at its end the status' and the trace's; with an IOMMU of QEMU's there are these alone.
    public func socket(of iommu: GuestTopology.IOMMU) -> String { "\(options.directory)/\(iommu.name).sock" }
    public var viotPath: String { "\(options.directory)/unic-viot.bin" }
    public func socket(of function: RelayFunction) -> String { "\(options.directory)/\(function.name).sock" }

    private static func checkNames(_ functions: [RelayFunction]) throws(RelayPlanError) {
        guard !functions.isEmpty else { throw .nothingToRelay }
        var names: Set<String> = []
        var owners: [String: String] = [:]
        for function in functions {
            guard function.hasUsableName else { throw .unusableName(function.name) }
            guard names.insert(function.name).inserted else { throw .nameTwice(function.name) }
            if case .model = function.kind { continue }
            if let first = owners.updateValue(function.name, forKey: function.kindText) {
                throw .deviceTwice(function.kindText, first: first, second: function.name)
            }
        }
    }

    /// By the functions' names; models and what others serve are in none.
    private static func groups(
        of functions: [RelayFunction], in groups: [HostGroup]
    ) throws(RelayPlanError) -> [String: HostGroup] {
        var found: [String: HostGroup] = [:]
        for function in functions {
            guard case .host(let address) = function.kind else { continue }
            guard let group = groups.first(where: { $0.members.contains { $0.address == address.description } }) else {
                throw .noGroup(name: function.name, address: address)
            }
            guard !group.isNoIOMMU else { throw .noIOMMU(name: function.name, address: address, group: group.number) }
            let driver = group.members.first { $0.address == address.description }?.driver
            guard let driver, SysfsDevice.isVFIO(driver: driver) else {
                throw .notBound(name: function.name, address: address, driver: driver)
            }
            if let holder = group.holders.first {
                throw .notViable(name: function.name, group: group.number, member: holder.address, driver: holder.driver ?? "")
            }
            found[function.name] = group
        }
        return found
    }

    /// sun_path has 108 bytes, its NUL among them (unix(7)). QEMU reads sockets' paths as JSON, and the table's as one of its
    /// comma-separated options, in which colons part files.
    private func checkPaths() throws(RelayPlanError) {
        for path in topology.iommus.map(socket) + topology.functions.map({ socket(of: $0.function) }) + [viotPath] {
            guard path.utf8.count <= 107 else { throw .pathTooLong(path, byteCount: path.utf8.count, limit: 107) }
            for (character, name) in [("\"", "quote"), ("\\", "backslash"), (",", "comma"), (":", "colon")] where path.contains(character) {
                throw .pathCharacter(path, character: name)
            }
            if path.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) {
                throw .pathCharacter(path, character: "control character")
            }
        }
    }
}
