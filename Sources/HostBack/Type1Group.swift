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

    /// - Parameters:
    ///   - space: empty, a ``Type1AddressSpace``.
    ///   - guest: its memory by its own addresses; ``guestMemoryChanged()`` tells of changes.
    public init(space: Space, guest: DMASpace) {
        self.space = space
        self.guest = guest
        mappings = HostMappings(space, guest: guest)
    }

    func use(_ user: AnyObject) { users.insert(ObjectIdentifier(user)) }

    func bypass(_ user: AnyObject) throws(HostMapperError) {
        if identity == nil {
            guard mappings.isEmpty else { preconditionFailure("an endpoint bypasses while a sibling is in a domain") }
            let made = HostMappings(space, guest: guest, isIdentity: true)
            do throws(HostMapperError) { try made.mapIdentity() } catch {
                made.unmapAll()
                throw error
            }
            identity = made
        }
        use(user)
    }

    func block(_ user: AnyObject) {
        users.remove(ObjectIdentifier(user))
        guard users.isEmpty else { return }
        identity?.unmapAll()
        identity = nil
        mappings.unmapAll()
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
    public func bypass() throws(HostMapperError) { try group.bypass(self) }
    public func block() { group.block(self) }
}
