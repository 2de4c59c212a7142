public import DeviceAccess
public import DeviceMemory
public import IOMMURelay

/// A host group's container, which its functions have for as long as one of them is open: the guest domain that the group is
/// in is mapped into it, and all that is mapped goes when the group leaves. The kernel keeps one address space a group, so that
/// what one endpoint of it reaches the others reach as well.
public final class Type1Group<Space: HostAddressSpace> {
    let mappings: HostMappings<Space>
    private let guest: DMASpace
    private let space: Space
    /// The guest's memory at its own addresses, while endpoints bypass.
    private var identity: HostMappings<Space>?
    /// Endpoints that are not blocked.
    private var users: Set<ObjectIdentifier> = []
    /// Called between pieces, where many are carried out in one call: others are to be served meanwhile.
    public var betweenPieces: () -> Void = {} {
        didSet { mappings.betweenPieces = betweenPieces }
    }

    /// - Parameters:
    ///   - space: empty, a ``Type1AddressSpace``.
    ///   - guest: its memory by its own addresses; ``guestMemoryChanged()`` tells of changes.
    public init(space: Space, guest: DMASpace) {
        self.space = space
        self.guest = guest
        mappings = HostMappings(space, guest: guest)
    }

    func use(_ user: AnyObject) { users.insert(ObjectIdentifier(user)) }

    /// What is mapped when this throws goes when the user is blocked.
    func bypassStep(_ user: AnyObject) throws(HostMapperError) -> Bool {
        let identity: HostMappings<Space>
        if let known = self.identity {
            identity = known
        } else {
            guard mappings.isEmpty else { preconditionFailure("an endpoint bypasses while a sibling is in a domain") }
            identity = HostMappings(space, guest: guest, isIdentity: true)
            identity.betweenPieces = betweenPieces
            self.identity = identity
        }
        guard try identity.identityStep() else { return false }
        use(user)
        return true
    }

    func blockStep(_ user: AnyObject) -> Bool {
        users.remove(ObjectIdentifier(user))
        guard users.isEmpty else { return true }
        guard identity?.unmapStep() ?? true else { return false }
        identity = nil
        return mappings.unmapStep()
    }

    /// To be called before the memory that went is unmapped from this process, and before the guest hears of it.
    public func guestMemoryChanged() {
        mappings.guestMemoryChanged()
        identity?.guestMemoryChanged()
    }
}

/// A host device as an endpoint, with type 1.
public final class Type1Back<Space: HostAddressSpace>: EndpointBack {
    private let group: Type1Group<Space>

    public init(group: Type1Group<Space>) { self.group = group }

    public func mapper(forDomain domain: UInt32) -> any HostMapper { group.mappings }
    public func use(_ mapper: any HostMapper) { group.use(self) }
    public func bypass() throws(HostMapperError) { while try !bypassStep() { group.betweenPieces() } }
    public func bypassStep() throws(HostMapperError) -> Bool { try group.bypassStep(self) }
    public func block() { while !blockStep() { group.betweenPieces() } }
    public func blockStep() -> Bool { group.blockStep(self) }
}
