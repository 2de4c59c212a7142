public import DeviceMemory
public import IOMMURelay
public import LinuxIO

/// A device that another vfio-user server has, as an endpoint: each mapping becomes a DMA_MAP there, at the guest's IOVA, with the
/// file that the guest's memory lies in; each unmap is done when that server has answered.
///
/// The server is sent the file, not a part of it: it has to be trusted with the guest's memory. What it does by itself, and the
/// device by its orders, reaches what is mapped.
public final class ServedBack: EndpointBack, HostMapper {
    private let calls: ServedCalls
    /// The guest's memory by its own addresses; its files are kept.
    private let guest: DMASpace
    /// What the other server has mapped, or is being asked to: a DMA_MAP each.
    private var held = MappingTable()
    private var files: [IOVA: (file: SharedDescriptor, offset: UInt64)] = [:]
    /// What the map under way maps.
    private var asked: IOVARange?

    /// - Parameter ended: called once, on another thread, when the server is gone, or was given up: nothing gets through any more.
    public init(
        server: any MappingServer, guest: DMASpace, ended: @escaping @Sendable (String) -> Void
    ) throws(SystemCallError) {
        calls = try ServedCalls(server, ended: ended)
        self.guest = guest
    }

    deinit { calls.stop() }

    /// Why it is of no more use; nil while it is.
    public var endReason: String? { calls.end }

    // MARK: Mappings

    /// A server that pins what it maps takes some hundred milliseconds then.
    public var maximumPieceByteCount: UInt64 { 1 << 30 }
    public var joinsNeighbours: Bool { false }
    public var answersLater: Bool { true }

    public func map(_ piece: IOVAMapping) throws(HostMapperError) {
        try checkUse()
        guard let pieces = guest.filePieces(behind: piece) else {
            throw .notMappable(
                "\(piece.range): guest-physical addresses from \(piece.physical) on do not lie in files of the guest's memory")
        }
        for part in pieces { hold(part, of: piece) }
        asked = piece.range
        _ = calls.takeRefusal()
        calls.ask(.map(pieces))
    }

    private func hold(_ part: FilePiece, of piece: IOVAMapping) {
        let offset = part.range.start.rawValue &- piece.range.start.rawValue
        guard let physical = piece.physical.advanced(by: offset),
            held.insert(IOVAMapping(range: part.range, physical: physical, access: part.access))
        else { preconditionFailure("a piece that is mapped already") }
        files[part.range.start] = (part.file, part.fileOffset)
    }

    public func isDone() throws(HostMapperError) -> Bool {
        guard isSettled else { return false }
        defer { asked = nil }
        guard let asked else { return true }
        guard let refusal = calls.takeRefusal() ?? calls.end.map({ .failed($0) }) else { return true }
        forget(asked)
        throw refusal
    }

    @discardableResult
    private func forget(_ range: IOVARange) -> [IOVARange] {
        guard case .removed(let mappings) = held.remove(range.addresses) else { preconditionFailure("a mapping is cut by an unmap") }
        for mapping in mappings { files[mapping.range.start] = nil }
        return mappings.map(\.range)
    }

    public func unmap(_ range: IOVARange) {
        asked = nil
        for range in forget(range) { calls.ask(.unmap(range)) }
    }

    public func unmapAll() {
        asked = nil
        held.visit(from: IOVA(0)) { mapping in
            calls.ask(.unmap(mapping.range))
            return true
        }
        held.removeAll()
        files = [:]
    }

    // MARK: Where DMA goes

    private func checkUse() throws(HostMapperError) { if let end = calls.end { throw .failed(end) } }

    public func mapper(forDomain domain: UInt32) throws(HostMapperError) -> any HostMapper {
        try checkUse()
        return self
    }

    public func use(_ mapper: any HostMapper) throws(HostMapperError) { try checkUse() }

    public func bypass() throws(HostMapperError) {
        throw .failed("a device of another server is not let through to all of the guest's memory")
    }

    public func block() { unmapAll() }

    /// Gives the processor to the thread that asks, and to the other server: where there are few, they wait for it.
    public var isSettled: Bool {
        let isIdle = calls.isIdle
        if !isIdle { Processor.yield() }
        return isIdle
    }

    /// How long a server may take to let everything go, however it answers single messages, in milliseconds.
    private static let settleMilliseconds: UInt64 = 5000

    public func settle() {
        let deadline = Deadline(afterMilliseconds: Self.settleMilliseconds)
        while !calls.isIdle {
            if deadline.hasPassed { calls.giveUp("it did not let the guest's memory go within \(Self.settleMilliseconds) ms") }
            _ = waitForEvents([], timeoutMilliseconds: 1)
        }
    }

    // MARK: The guest's memory

    /// The guest's memory became another: what lies on a part that went is unmapped there before this returns.
    public func guestMemoryChanged() {
        var gone: [IOVARange] = []
        held.visit(from: IOVA(0)) { mapping in
            let known = files[mapping.range.start]
            let now = guest.filePieces(behind: mapping)
            if now?.count != 1 || now?[0].file !== known?.file || now?[0].fileOffset != known?.offset { gone.append(mapping.range) }
            return true
        }
        guard !gone.isEmpty else { return }
        for range in gone { unmap(range) }
        settle()
    }
}
