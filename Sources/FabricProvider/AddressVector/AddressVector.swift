import CLibfabric
import MPIBridge

/// An address vector (fi_av(3)): numbers for peers' addresses. Tables and maps are the same here: numbers count from 0.
@safe struct AddressVector: FabricState, ~Copyable {
    static let objectClass = Int(FI_CLASS_AV)
    /// Addresses that one holds at most: they take memory, and each becomes a peer of every endpoint.
    static let limit = 1 << 20

    var view: fid_av
    let domain: FabricObject<OpenDomain>
    /// nil: a number that was removed.
    private(set) var addresses: [EndpointAddress?] = []
    private var removed: [Int] = []
    /// Endpoints that send by these numbers, once they are enabled.
    var endpoints: [FabricObject<OpenEndpoint>] = []
    var bindings = 0
    /// Addresses that the application means to insert; 0: it did not say.
    let expectedCount: Int

    init(view: fid_av, domain: FabricObject<OpenDomain>, expectedCount: Int) {
        // SAFETY: a C structure that is kept, not looked at.
        unsafe self.view = view
        self.domain = domain
        self.expectedCount = expectedCount
        addresses.reserveCapacity(min(expectedCount, 1 << 16))
    }

    /// nil: the vector is full.
    mutating func insert(_ address: EndpointAddress) -> UInt64? {
        if let index = removed.popLast() {
            addresses[index] = address
            return UInt64(index)
        }
        guard addresses.count < Self.limit else { return nil }
        addresses.append(address)
        return UInt64(addresses.count - 1)
    }

    subscript(number: UInt64) -> EndpointAddress? {
        guard let index = Int(exactly: number), addresses.indices.contains(index) else { return nil }
        return addresses[index]
    }

    /// nil: there is no such number.
    mutating func remove(_ number: UInt64) -> EndpointAddress? {
        guard let address = self[number] else { return nil }
        addresses[Int(number)] = nil
        removed.append(Int(number))
        return address
    }
}
