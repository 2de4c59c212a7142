import CLibfabric

/// An open domain (fi_domain(3)): one NIC function, whose port opens with an endpoint.
@safe struct OpenDomain: FabricState, ~Copyable {
    static let objectClass = Int(FI_CLASS_DOMAIN)
    var view: fid_domain
    let fabric: FabricObject<OpenFabric>
    /// URL.
    let device: String
    let apiVersion: UInt32
    /// nil: one thread at a time, says the application.
    let lock: DomainLock?
    /// With FI_PROGRESS_AUTO: drives the endpoints while the application does not.
    var thread: ProgressThread?
    /// Objects that are open.
    var children = 0
    /// Endpoints that are enabled: they know every region.
    var endpoints: [FabricObject<OpenEndpoint>] = []
    /// Regions that peers may reach, by their keys.
    var regions: [UInt64: FabricObject<MemoryRegion>] = [:]

    /// As many as ``EndpointProfile/Domain/mrCount`` says.
    static let regionLimit = EndpointProfile.reliable.domain.mrCount
}
