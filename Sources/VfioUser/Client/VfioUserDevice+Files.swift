public import DeviceAccess
public import DeviceMemory
public import LinuxIO

// For who gives the device on: a relay, whose clients map its areas and have memory of their own. Memory that is mapped so is
// the server's to map: its messages for it (VFIO_USER_DMA_READ, VFIO_USER_DMA_WRITE) are refused, and no reconnection maps it again.

extension VfioUserDevice {
    /// Sends a part of a file as memory. `.systemCall`: the server refused it, and goes on. Any thread may call.
    public func map(_ piece: FilePiece) throws(DeviceError) {
        let connection = session.connection
        let message = DMAMapMessage(access: piece.access, fileOffset: piece.fileOffset, range: piece.range)
        switch try connection.request(.dmaMap, message.emit(), descriptors: [piece.file.number]) {
        case .success(let answer):
            guard answer.payload.isEmpty else { throw connection.violation("its reply to \(Command.dmaMap.name) has a payload") }
        case .failure(let cause):
            throw .systemCall(device: url, group: nil, cause: cause, fix: "The server refused \(piece.range): its log says why.")
        }
    }

    /// Takes pieces back, each with a message of its own, several under way. Any thread may call.
    public func unmapPieces(_ ranges: [IOVARange]) throws(DeviceError) {
        let requests = ranges.map { (payload: DMAUnmapMessage(range: $0).emit(), descriptors: [Int32]()) }
        for (range, result) in zip(ranges, try session.connection.requestEach(.dmaUnmap, requests)) {
            guard case .failure(let cause) = result else { continue }
            throw .unmapDMA(device: url, range: range, reason: "the server refused it: \(cause.errno)")
        }
    }

    /// A descriptor of the file that a region's areas lie in, for another process that maps them.
    public func duplicateFile(ofRegion region: Int) throws(DeviceError) -> OwnedDescriptor {
        guard let file = try session.region(region).file else {
            throw .badAccess(device: url, region: region, offset: 0, byteCount: 0, reason: "nothing of the region can be mapped")
        }
        do throws(SystemCallError) { return try OwnedDescriptor.duplicate(of: file.number) } catch {
            throw .systemCall(device: url, group: nil, cause: error, fix: "Raise the limit of open files (ulimit -n).")
        }
    }

    /// Where the region begins in that file.
    public func fileOffset(ofRegion region: Int) throws(DeviceError) -> UInt64 { try session.region(region).fileOffset }

    public func maskINTx() throws(DeviceError) { try session.set(.intx, .mask, .none, start: 0, count: 1) }

    /// An eventfd whose signal unmasks INTx; nil: none.
    public func unmaskINTx(by eventfd: Int32?) throws(DeviceError) {
        let descriptors = eventfd.map { [$0] } ?? []
        try session.set(
            .intx, .unmask, .eventfds(descriptorCount: descriptors.count), start: 0, count: 1, descriptors: descriptors)
    }

    /// Ends the connection: the server lets everything of this client's go ("Client Disconnection"). Any thread may call.
    public func hangUp(_ reason: String) { session.connection.hangUp(reason) }
}
