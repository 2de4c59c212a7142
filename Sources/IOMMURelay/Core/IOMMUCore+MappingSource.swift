public import DeviceMemory

extension IOMMUCore: MappingSource {
    /// Nothing while the endpoint is in no domain, or not carried out yet.
    public func visitMappings(ofEndpoint id: UInt32, _ body: (IOVAMapping) -> Void) {
        guard let endpoint = groupOfID[id]?.endpoints.first(where: { $0.id == id }), case .translated(let domain, _) = endpoint.path
        else { return }
        domain.table.visit(from: IOVA(0)) { mapping in
            body(mapping)
            return true
        }
    }
}
