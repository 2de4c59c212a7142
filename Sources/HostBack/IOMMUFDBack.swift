public import DeviceAccess
import DeviceMemory
public import IOMMURelay

/// A host device as an endpoint, with iommufd: its DMA goes through the address space of the domain that it is in. An ATTACH
/// replaces one by another while the device is open.
public final class IOMMUFDBack<Device: AttachableDevice>: EndpointBack {
    private let device: Device
    private let domains: IOMMUFDDomains<Device.Space>
    /// What the device is attached to; kept until it has left.
    private var attached: HostMappings<Device.Space>?

    public init(device: Device, domains: IOMMUFDDomains<Device.Space>) {
        self.device = device
        self.domains = domains
    }

    public func mapper(forDomain domain: UInt32) throws(HostMapperError) -> any HostMapper { try domains.mappings(forDomain: domain) }

    public func use(_ mapper: any HostMapper) throws(HostMapperError) {
        guard let mappings = mapper as? HostMappings<Device.Space> else { preconditionFailure("a mapper of another back") }
        try attach(mappings)
    }

    /// The kernel pins pages for the devices of an address space: with none in it a map pins nothing, and the attachment of the
    /// first one would pin all at once, as the last one's detachment unpins (iopt_table_add_domain() and
    /// iopt_table_remove_domain() of drivers/iommu/iommufd/io_pagetable.c).
    public var entersEmptyMappers: Bool { true }

    public func bypass() throws(HostMapperError) { while try !bypassStep() { domains.betweenPieces() } }

    public func bypassStep() throws(HostMapperError) -> Bool {
        let identity = try domains.identity(for: self)
        if attached !== identity { try attach(identity) }
        return try identity.identityStep()
    }

    private func attach(_ mappings: HostMappings<Device.Space>) throws(HostMapperError) {
        do throws(DeviceError) { try device.attach(mappings.space) } catch { throw HostMapperError(error) }
        attached = mappings
    }

    public func block() { while !blockStep() { domains.betweenPieces() } }

    public func blockStep() -> Bool {
        guard domains.leaveIdentity(self) else { return false }
        detach()
        return true
    }

    /// A device that will not be detached is attached to an address space with nothing in it. One that stays where it is after
    /// all has lost its bus, or this process ends: the guardian then quiets it.
    private func detach() {
        do throws(DeviceError) { try device.detach() } catch { confine(error) }
        attached = nil
    }

    private func confine(_ cause: DeviceError) {
        if let space = try? domains.makeSpace(), (try? device.attach(space)) != nil { return }
        if let access = device as? any DeviceAccess, (try? access.checkPresence()) == nil { return }
        fatalError("a device could not be taken from the memory of a guest: \(cause)")
    }
}
