import DeviceMemory

/// An address space that the guest's driver made by attaching an endpoint to it.
final class GuestDomain {
    let id: UInt32
    /// Whether its endpoints reach guest memory by its own addresses. Nothing is mapped in one.
    let isBypass: Bool
    var table = MappingTable()
    /// Neighbours in the table that were mapped together, each stretch as one mapping: what mappers that join hold as one, cut
    /// only where their pieces end.
    var areas = MappingTable()
    /// What the guest has unmapped and mappers still hold: docs/relay.md tells the risk.
    var late = MappingTable()
    /// Distinct ones, each with how many endpoints use it. What is in the table is mapped in each of them.
    private(set) var mappers: [(mapper: any HostMapper, endpointCount: Int)] = [] {
        didSet {
            plain = nil
            if mappers.count == 1, let only = mappers.first?.mapper, !only.joinsNeighbours, !only.answersLater { plain = only }
        }
    }
    /// The only mapper, if it does what it is asked at once and joins no neighbours.
    private var plain: (any HostMapper)?
    /// Ids that the driver attached to it. It is gone with the last.
    var idCount = 0
    /// What endpoints whose groups are in it cannot have mapped.
    var reserved: [IOVARange] = []

    init(id: UInt32, isBypass: Bool) {
        self.id = id
        self.isBypass = isBypass
    }

    /// The only mapper, if it takes the range as one piece, at once, and joins no neighbours: as most do.
    func plainMapper(for range: IOVARange) -> (any HostMapper)? {
        guard let plain, plain.takesAtOnce(range) else { return nil }
        return plain
    }

    /// Whether one endpoint uses it, and no other.
    func hasOneEndpoint(in mapper: any HostMapper) -> Bool {
        mappers.first { $0.mapper === mapper }?.endpointCount == 1
    }

    func has(_ mapper: any HostMapper) -> Bool { mappers.contains { $0.mapper === mapper } }

    /// One more endpoint uses the mapper, in which all of the table is mapped.
    func retain(_ mapper: any HostMapper) {
        if let index = mappers.firstIndex(where: { $0.mapper === mapper }) {
            mappers[index].endpointCount += 1
        } else {
            mappers.append((mapper, 1))
        }
    }

    /// An endpoint that used it is blocked now; the last one's is empty.
    func release(_ mapper: any HostMapper) {
        guard let index = mappers.firstIndex(where: { $0.mapper === mapper }) else {
            preconditionFailure("a mapper that the domain does not have")
        }
        mappers[index].endpointCount -= 1
        if mappers[index].endpointCount == 0 { mappers.remove(at: index) }
    }
}
