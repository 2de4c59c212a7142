import DeviceMemory
import DeviceModel

/// A change of a client's memory that the carrier is at, and what is answered when it is done.
struct PendingChange {
    enum Kind {
        case map(IOVARange)
        case unmap(DMAUnmapMessage)
    }
    let header: MessageHeader
    let kind: Kind
}

/// DMA_MAP and DMA_UNMAP. With a ``MemoryCarrier`` they are answered when it has carried them out, and no other message of the
/// client is looked at before: "Command Concurrency" lets a server take them in order.
extension VfioUserServer where Model: ~Copyable {
    func mapMemory(_ map: DMAMapMessage, _ message: IncomingMessage, _ session: ClientSession) throws(CommandFailure) -> Reply? {
        let isDirect = try memory.map(map, descriptor: message.takeDescriptor())
        // What has no file is no memory to anybody but a model.
        guard isDirect, let carrier = memoryCarrier else { return Reply() }
        return try conclude(
            PendingChange(header: message.header, kind: .map(map.range)), carrier.begin(mapping: map.range, access: map.access), session)
    }

    func unmapMemory(_ unmap: DMAUnmapMessage, _ header: MessageHeader, _ session: ClientSession) throws(CommandFailure) -> Reply? {
        let change = PendingChange(header: header, kind: .unmap(unmap))
        guard let carrier = memoryCarrier else { return try finish(change) }
        if let range = unmap.range { try memory.checkUnmap(range) }
        let addresses = unmap.range?.addresses ?? IOVA(0)...IOVA(.max)
        return try conclude(change, carrier.begin(unmapping: addresses), session)
    }

    /// Goes on with the change that is under way.
    func carryOn(_ session: ClientSession) {
        guard let change = session.change, let carrier = memoryCarrier else { return }
        session.change = nil
        do throws(CommandFailure) {
            if let reply = try conclude(change, carrier.advance(), session) { accept(change.header, reply, session) }
        } catch { refuse(change.header, error, session) }
    }

    private func conclude(
        _ change: PendingChange, _ carriage: MemoryCarriage, _ session: ClientSession
    ) throws(CommandFailure) -> Reply? {
        switch carriage {
        case .working:
            session.change = change
            return nil
        case .done: return try finish(change)
        case .refused(let errno, let reason):
            if case .map(let range) = change.kind { try memory.unmap(range) }
            throw CommandFailure(errno, reason)
        }
    }

    private func finish(_ change: PendingChange) throws(CommandFailure) -> Reply {
        guard case .unmap(let unmap) = change.kind else { return Reply() }
        let everything = IOVARange(first: 0, last: .max - 1)
        if let range = unmap.range ?? everything { writeLog?.note(unmapped: memory.writableRanges(in: range)) }
        let dirty = unmap.bitmap.map { $0.bitmap(written: memory.writableRanges(in: $0.range)) } ?? []
        if let range = unmap.range { try memory.unmap(range) } else { memory.unmapAll() }
        // "The server responds with the original DMA entry in the request."
        return Reply(payload: unmap.emit(dirty: dirty))
    }
}
