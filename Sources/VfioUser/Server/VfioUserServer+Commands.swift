import DeviceModel
import LinuxIO
import SystemPackage

/// An answer: its payload, and descriptors that stay their owner's.
struct Reply {
    var payload: [UInt8] = []
    var descriptors: [Int32] = []
}

/// One command after the other, in the order that they came ("Command Concurrency").
extension VfioUserServer where Model: ~Copyable {
    func handle(_ message: IncomingMessage, _ session: ClientSession) {
        let header = message.header
        if let command = Command(rawValue: header.command) {
            statistics.commandCounts.count(command)
        } else {
            statistics.unknownMessages &+= 1
        }
        guard !header.isReply else {
            session.fault = "the client sent a reply to a command that nobody gave"
            session.isClosing = true
            return
        }
        do throws(CommandFailure) {
            if let reply = try answer(message, session) { accept(header, reply, session) }
        } catch { refuse(header, error, session) }
    }

    func accept(_ header: MessageHeader, _ reply: Reply, _ session: ClientSession) {
        guard !header.noReply else { return }
        session.channel.outgoing = OutgoingMessage(
            header: MessageHeader(id: header.id, command: header.command, payloadByteCount: reply.payload.count, isReply: true),
            payload: reply.payload, descriptors: reply.descriptors)
    }

    func refuse(_ header: MessageHeader, _ failure: CommandFailure, _ session: ClientSession) {
        statistics.failedCommands &+= 1
        statistics.lastFault = "\(header.commandName): \(failure.reason)"
        // "If an error occurs, the reply message must only include the reply header."
        guard !header.noReply else { return }
        session.channel.outgoing = OutgoingMessage(
            header: MessageHeader(
                id: header.id, command: header.command, payloadByteCount: 0, isReply: true, isError: true,
                errno: UInt32(clamping: failure.errno.rawValue)),
            payload: [])
    }

    /// nil: the answer comes when a change of memory is carried out.
    private func answer(_ message: IncomingMessage, _ session: ClientSession) throws(CommandFailure) -> Reply? {
        guard let command = Command(rawValue: message.header.command) else {
            throw CommandFailure(.notSupported, "nobody knows this command")
        }
        guard session.isNegotiated || command == .version else {
            session.isClosing = true
            session.fault = "the client's first command was \(command.name), not \(Command.version.name)"
            throw CommandFailure(.invalidArgument, "the first command has to be \(Command.version.name)")
        }
        let descriptorCount = message.descriptors.count
        switch command {
        case .version: return try negotiate(message, session)
        case .dmaMap:
            let map = try answering { () throws(MessageError) in try DMAMapMessage.parse(message.payload, descriptorCount: descriptorCount)
            }
            return try mapMemory(map, message, session)
        case .dmaUnmap:
            let unmap = try answering { () throws(MessageError) in
                try DMAUnmapMessage.parse(message.payload, descriptorCount: descriptorCount)
            }
            return try unmapMemory(unmap, message.header, session)
        case .deviceGetInfo:
            _ = try answering { () throws(MessageError) in try DeviceInfoMessage.parse(message.payload, descriptorCount: descriptorCount) }
            return Reply(payload: deviceInfo.emit())
        case .deviceGetRegionInfo:
            let request = try answering { () throws(MessageError) in
                try RegionInfoMessage.parseRequest(message.payload, descriptorCount: descriptorCount)
            }
            return try regionInfo(request)
        case .deviceGetRegionIOFDs:
            let request = try answering { () throws(MessageError) in
                try RegionIOFDsMessage.parseRequest(message.payload, descriptorCount: descriptorCount)
            }
            return try regionIOFDs(request)
        case .deviceGetIRQInfo:
            let request = try answering { () throws(MessageError) in
                try IRQInfoMessage.parse(message.payload, descriptorCount: descriptorCount)
            }
            return Reply(payload: try irqInfo(request).emit())
        case .deviceSetIRQs:
            let request = try answering { () throws(MessageError) in
                try SetIRQsMessage.parse(message.payload, descriptorCount: descriptorCount)
            }
            try setIRQs(request, message)
            return Reply()
        case .regionRead: return Reply(payload: try readRegion(access(message, hasData: false), session).emit())
        case .regionWrite: return Reply(payload: try writeRegion(access(message, hasData: true)).emit())
        case .regionWriteMulti:
            let several = try answering { () throws(MessageError) in
                try RegionWriteMultiMessage.parse(message.payload, descriptorCount: descriptorCount)
            }
            // All are judged before any is done.
            for write in several.writes { try check(write) }
            for write in several.writes { _ = try writeRegion(write) }
            return Reply(payload: RegionWriteMultiMessage.reply(done: several.writes.count))
        case .deviceReset:
            guard message.payload.isEmpty, descriptorCount == 0 else {
                throw CommandFailure(.invalidArgument, "\(command.name) has no payload and no descriptors")
            }
            statistics.resets &+= 1
            resetDevice()
            return Reply()
        case .dmaRead, .dmaWrite: throw CommandFailure(.invalidArgument, "only a server gives this command")
        case .deviceFeature:
            return try deviceFeature(
                try answering { () throws(MessageError) in
                    try DeviceFeatureMessage.parse(message.payload, descriptorCount: descriptorCount)
                })
        case .migrationDataRead: return try readMigrationData(migrationData(message, hasData: false), session)
        case .migrationDataWrite:
            try migration.write(migrationData(message, hasData: true).data)
            return Reply()
        }
    }

    private func migrationData(_ message: IncomingMessage, hasData: Bool) throws(CommandFailure) -> MigrationDataMessage {
        let maximum = limits.maximumTransferByteCount
        return try answering { () throws(MessageError) in
            try MigrationDataMessage.parse(
                message.payload, hasData: hasData, maximumByteCount: maximum, descriptorCount: message.descriptors.count)
        }
    }

    private func access(_ message: IncomingMessage, hasData: Bool) throws(CommandFailure) -> RegionAccessMessage {
        let maximum = limits.maximumTransferByteCount
        return try answering { () throws(MessageError) in
            try RegionAccessMessage.parse(
                message.payload, hasData: hasData, maximumByteCount: maximum, descriptorCount: message.descriptors.count)
        }
    }

    /// "VFIO_USER_VERSION": the same major, a minor no higher than proposed, capabilities a subset of those proposed.
    private func negotiate(_ message: IncomingMessage, _ session: ClientSession) throws(CommandFailure) -> Reply {
        guard !session.isNegotiated else { throw CommandFailure(.invalidArgument, "the version is negotiated already") }
        let proposed: VersionMessage
        do throws(CommandFailure) {
            proposed = try answering { () throws(MessageError) in
                try VersionMessage.parse(message.payload, descriptorCount: message.descriptors.count)
            }
            guard proposed.major == ProtocolVersion.major else {
                throw CommandFailure(.notSupported, "the client speaks version \(proposed.major), this server 0")
            }
        } catch {
            session.isClosing = true
            session.fault = error.reason
            throw error
        }
        session.isNegotiated = true
        let theirs = proposed.capabilities.maximumTransferByteCount ?? Capabilities.defaultTransferByteCount
        memory.maximumTransferByteCount = Int(clamping: min(theirs, UInt64(limits.maximumTransferByteCount)))
        session.maximumReplyData = Int(clamping: proposed.capabilities.maximumTransferByteCount ?? Capabilities.defaultTransferByteCount)
        var mine = Capabilities()
        if proposed.capabilities.maximumMessageDescriptors != nil { mine.maximumMessageDescriptors = UInt64(limits.maximumDescriptors) }
        if proposed.capabilities.maximumTransferByteCount != nil { mine.maximumTransferByteCount = UInt64(limits.maximumTransferByteCount) }
        if proposed.capabilities.maximumDMAMaps != nil { mine.maximumDMAMaps = UInt64(memory.maximumRanges) }
        if proposed.capabilities.pageSizes != nil { mine.pageSizes = Capabilities.defaultPageSizes }
        if proposed.capabilities.writeMultiple == true { mine.writeMultiple = true }
        if let theirs = proposed.capabilities.migration, model.canBeSaved { mine.migration = migration(proposed: theirs) }
        let twin = proposed.capabilities.twinSocket?.isSupported == true ? try makeTwin(session) : nil
        if twin != nil { mine.twinSocket = Capabilities.TwinSocket(isSupported: true, descriptorIndex: 0) }
        let reply = VersionMessage(
            major: ProtocolVersion.major, minor: min(proposed.minor, ProtocolVersion.maximumMinor), capabilities: mine)
        return Reply(payload: reply.emit(), descriptors: twin.map { [$0] } ?? [])
    }

    /// Of each value the smaller one of both sides'.
    private func migration(proposed: Capabilities.Migration) -> Capabilities.Migration {
        let largest = DirtyBitmapRequest.maximumByteCount
        return Capabilities.Migration(
            pageByteCount: Capabilities.defaultPageSizes, maximumBitmapByteCount: min(proposed.maximumBitmapByteCount ?? largest, largest))
    }

    /// A socket pair for our commands ("Reply" of VFIO_USER_VERSION). Returns the client's end, which the session keeps open.
    private func makeTwin(_ session: ClientSession) throws(CommandFailure) -> Int32 {
        do throws(SystemCallError) { return try session.channel.makeTwin() } catch { throw CommandFailure(error) }
    }
}
