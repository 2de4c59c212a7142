import DeviceMemory
import Testing

@testable import IOMMURelay

/// A host that keeps the rules: nothing is mapped twice, pieces are removed whole, and only what is there.
final class FakeMapper: HostMapper {
    enum Call: Equatable {
        case map(IOVAMapping)
        case unmap(IOVARange)
        case unmapAll
    }
    let maximumPieceByteCount: UInt64
    var joinsNeighbours = true
    /// Ascending; disjoint.
    private(set) var pieces: [IOVAMapping] = []
    var calls: [Call] = []
    /// Asked before each map, with how many there were.
    var failure: ((Int) -> HostMapperError?)?
    private(set) var mapCount = 0
    /// Rules that were broken.
    private(set) var complaints: [String] = []

    init(maximumPieceByteCount: UInt64 = 1 << 26) { self.maximumPieceByteCount = maximumPieceByteCount }

    func map(_ piece: IOVAMapping) throws(HostMapperError) {
        calls.append(.map(piece))
        mapCount += 1
        if let error = failure?(mapCount) { throw error }
        if piece.range.byteCount > maximumPieceByteCount { complaints.append("a piece of \(piece.range.byteCount) bytes") }
        let index = firstIndex(from: piece.range.start)
        if index > 0, pieces[index - 1].range.overlaps(piece.range) { complaints.append("mapped twice: \(piece.range)") }
        if index < pieces.count, pieces[index].range.overlaps(piece.range) { complaints.append("mapped twice: \(piece.range)") }
        pieces.insert(piece, at: index)
    }

    func unmap(_ range: IOVARange) {
        calls.append(.unmap(range))
        let inside = pieces.filter { $0.range.overlaps(range) }
        if inside.isEmpty { complaints.append("nothing to unmap in \(range)") }
        if inside.contains(where: { !range.contains($0.range) }) { complaints.append("a piece cut by \(range)") }
        pieces.removeAll { $0.range.overlaps(range) }
    }

    func unmapAll() {
        calls.append(.unmapAll)
        pieces = []
    }

    private func firstIndex(from start: IOVA) -> Int {
        var (low, high) = (0, pieces.count)
        while low < high {
            let middle = (low + high) / 2
            if pieces[middle].range.start < start { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Pieces that continue each other as one.
    var joined: [IOVAMapping] {
        var result: [IOVAMapping] = []
        for piece in pieces {
            if let last = result.last, last.range.last &+ 1 == piece.range.start.rawValue, last.access == piece.access,
                last.physical.rawValue + last.range.byteCount == piece.physical.rawValue,
                let range = IOVARange(first: last.range.start.rawValue, last: piece.range.last)
            {
                result[result.count - 1] = IOVAMapping(range: range, physical: last.physical, access: last.access)
            } else {
                result.append(piece)
            }
        }
        return result
    }
}

/// An endpoint's path to memory, and what was called.
final class FakeBack: EndpointBack {
    enum Path: Equatable {
        case blocked
        case bypass
        case mapper(ObjectIdentifier)
    }
    enum Call: Equatable { case block, bypass, mapper(UInt32), use }
    private(set) var path: Path?
    private(set) var mapper: FakeMapper?
    var calls: [Call] = []
    var mapperFailure: HostMapperError?
    var useFailure: HostMapperError?
    var bypassFailure: HostMapperError?
    /// Called inside of each block.
    var blocking: () -> Void = {}
    /// Chooses a domain's mapper: one of this back's own for each, unless siblings share one.
    let choose: (UInt32) -> FakeMapper

    init(choosing choose: @escaping (UInt32) -> FakeMapper) { self.choose = choose }

    /// One mapper, whatever the domain: as a type1 container is.
    convenience init(sharing mapper: FakeMapper) { self.init { _ in mapper } }

    convenience init(maximumPieceByteCount: UInt64 = 1 << 26) {
        self.init { _ in FakeMapper(maximumPieceByteCount: maximumPieceByteCount) }
    }

    func mapper(forDomain domain: UInt32) throws(HostMapperError) -> any HostMapper {
        calls.append(.mapper(domain))
        if let mapperFailure { throw mapperFailure }
        return choose(domain)
    }

    func use(_ mapper: any HostMapper) throws(HostMapperError) {
        calls.append(.use)
        if let useFailure { throw useFailure }
        path = .mapper(ObjectIdentifier(mapper))
        self.mapper = mapper as? FakeMapper
    }

    func bypass() throws(HostMapperError) {
        calls.append(.bypass)
        if let bypassFailure { throw bypassFailure }
        path = .bypass
        mapper = nil
    }

    func block() {
        calls.append(.block)
        blocking()
        path = .blocked
        mapper = nil
    }
}

extension IOMMUCore {
    /// Begins, and goes on until it is done.
    @discardableResult func run(_ request: IOMMURequest) -> IOMMUStatus { runCountingSteps(request).status }

    func runCountingSteps(_ request: IOMMURequest) -> (status: IOMMUStatus, steps: Int) {
        var progress = begin(request)
        var steps = 1
        while true {
            if case .done(let status, _) = progress { return (status, steps) }
            progress = advance()
            steps += 1
        }
    }

    @discardableResult func attach(_ endpoint: UInt32, _ domain: UInt32, flags: UInt32 = 0) -> IOMMUStatus {
        run(.attach(endpoint: endpoint, domain: domain, flags: flags))
    }
    @discardableResult func detach(_ endpoint: UInt32, _ domain: UInt32) -> IOMMUStatus { run(.detach(endpoint: endpoint, domain: domain)) }
    @discardableResult func map(_ domain: UInt32, _ first: UInt64, _ last: UInt64, to physical: UInt64 = 0, flags: UInt32 = 3)
        -> IOMMUStatus
    {
        run(.map(domain: domain, first: first, last: last, physical: GuestPhysicalAddress(physical), flags: flags))
    }
    @discardableResult func unmap(_ domain: UInt32, _ first: UInt64, _ last: UInt64) -> IOMMUStatus {
        run(.unmap(domain: domain, first: first, last: last))
    }
    func state(_ endpoint: UInt32) -> RelayStatistics.EndpointState? { statistics.endpoints.first { $0.id == endpoint }?.state }
}

func mapping(_ first: UInt64, _ last: UInt64, to physical: UInt64 = 0, _ access: DMAAccess = .readWrite) -> IOVAMapping {
    guard let range = IOVARange(first: first, last: last) else { preconditionFailure("no range \(first) to \(last)") }
    return IOVAMapping(range: range, physical: GuestPhysicalAddress(physical), access: access)
}
