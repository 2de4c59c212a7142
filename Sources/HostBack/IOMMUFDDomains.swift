public import DeviceAccess
public import DeviceMemory
import IOMMURelay

/// The address spaces of one relay with iommufd: one a guest domain, shared by the endpoints in it, and one in which the guest's
/// memory lies at its own addresses. A domain's goes with the last endpoint in it.
public final class IOMMUFDDomains<Space: HostAddressSpace> {
    private struct Weak { weak var mappings: HostMappings<Space>? }

    private let guest: DMASpace
    private let make: () throws(DeviceError) -> Space
    private var domains: [UInt32: Weak] = [:]
    private var identity: HostMappings<Space>?
    private var identityUsers: Set<ObjectIdentifier> = []
    /// Called between pieces, where many are carried out in one call: others are to be served meanwhile.
    public var betweenPieces: () -> Void = {}

    /// - Parameters:
    ///   - guest: its memory by its own addresses; ``guestMemoryChanged()`` tells of changes.
    ///   - make: an empty address space (``IOMMUFDContext/makeAddressSpace()``).
    public init(guest: DMASpace, make: @escaping () throws(DeviceError) -> Space) {
        self.guest = guest
        self.make = make
    }

    func mappings(forDomain domain: UInt32) throws(HostMapperError) -> HostMappings<Space> {
        if let known = domains[domain]?.mappings { return known }
        let made = HostMappings(try makeSpace(), guest: guest)
        made.betweenPieces = { [weak self] in self?.betweenPieces() }
        domains = domains.filter { $0.value.mappings != nil }
        domains[domain] = Weak(mappings: made)
        return made
    }

    /// Where the guest's memory is at its own addresses, or comes to be: made for the first endpoint that asks.
    func identity(for user: AnyObject) throws(HostMapperError) -> HostMappings<Space> {
        let made: HostMappings<Space>
        if let identity {
            made = identity
        } else {
            made = HostMappings(try makeSpace(), guest: guest, isIdentity: true)
            made.betweenPieces = { [weak self] in self?.betweenPieces() }
            identity = made
        }
        identityUsers.insert(ObjectIdentifier(user))
        return made
    }

    /// The last one has it emptied before it leaves. False: there is more to unmap.
    func leaveIdentity(_ user: AnyObject) -> Bool {
        guard identityUsers.contains(ObjectIdentifier(user)) else { return true }
        if identityUsers.count == 1 {
            guard identity?.unmapStep() ?? true else { return false }
            identity = nil
        }
        identityUsers.remove(ObjectIdentifier(user))
        return true
    }

    func makeSpace() throws(HostMapperError) -> Space {
        do throws(DeviceError) { return try make() } catch { throw HostMapperError(error) }
    }

    /// To be called before the memory that went is unmapped from this process, and before the guest hears of it.
    public func guestMemoryChanged() {
        for domain in domains.values { domain.mappings?.guestMemoryChanged() }
        identity?.guestMemoryChanged()
    }
}
