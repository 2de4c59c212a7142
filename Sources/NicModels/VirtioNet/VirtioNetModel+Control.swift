import DeviceMemory
import NicRegisters
import VirtioModel

/// "Control Virtqueue": each command is read once, whole, into memory of our own.
extension VirtioNetModel {
    /// Up to 16 commands.
    @inline(__always)
    mutating func stepControl() -> Bool {
        guard let index = controlQueueIndex, transport.queues[index].isReady, let limit = transport.queues[index].look() else {
            return false
        }
        return workOnCommands(index, limit)
    }

    @inline(never)
    private mutating func workOnCommands(_ index: Int, _ limit: Virtqueue.Limit) -> Bool {
        var queue = transport.queues[index]
        var taken = 0
        while taken < 16 {
            var cursor = queue.available
            guard let buffer = queue.take(&cursor, limit), answer(buffer, of: &queue, &cursor) else { break }
            taken += 1
        }
        queue.publish()
        notifyUsed(&queue)
        transport.queues[index] = queue
        noteViolation(of: index)
        return taken > 0
    }

    /// False: the queue was stopped.
    private mutating func answer(_ buffer: AvailableBuffer, of queue: inout Virtqueue, _ cursor: inout RingCursor) -> Bool {
        chains.removeAll()
        let allowsIndirect = transport.features.contains(.indirectDescriptors)
        guard let chain = chains.follow(buffer, of: &queue, &cursor, allowsIndirect: allowsIndirect, dma: dma) else { return false }
        guard chain.readableByteCount >= UInt64(VirtioNet.Command.byteCount), chain.writableByteCount >= 1 else {
            queue.stop(.tooSmall)
            return false
        }
        guard chains.read(chain, to: bounce, limit: bounce.byteCount, dma: dma) else {
            queue.stop(.unreachable)
            return false
        }
        let length = Int(min(chain.readableByteCount, UInt64(bounce.byteCount)))
        let command = VirtioNet.Command(class: bounce.load8(at: 0), bounce.load8(at: 1))
        let data = bounce.slice(at: VirtioNet.Command.byteCount, byteCount: length - VirtioNet.Command.byteCount)
        let isCut = chain.readableByteCount > UInt64(length)
        counters.commands &+= 1
        let isDone = execute(command, data, isCut: isCut)
        if !isDone { counters.commandsRefused &+= 1 }
        bounce.store8((isDone ? VirtioNet.Acknowledgement.ok : .error).rawValue, at: 0)
        guard chains.write(chain, at: 0, bounce, from: 0, byteCount: 1, dma: dma) else {
            queue.stop(.unreachable)
            return false
        }
        queue.available = cursor
        queue.use(chain.buffer, written: 1)
        return true
    }

    // MARK: Commands

    /// False: refused. What was not negotiated is not known.
    private mutating func execute(_ command: VirtioNet.Command, _ data: MemoryWindow, isCut: Bool) -> Bool {
        let features = transport.features
        switch command {
        case .promiscuous where features.contains(.controlReceive): return setMode(data) { $0.isPromiscuous = $1 }
        case .allMulticast where features.contains(.controlReceive): return setMode(data) { $0.acceptsAllMulticast = $1 }
        case .allUnicast where features.contains(.controlReceiveExtra): return setMode(data) { $0.acceptsAllUnicast = $1 }
        case .noMulticast where features.contains(.controlReceiveExtra): return setMode(data) { $0.refusesMulticast = $1 }
        case .noUnicast where features.contains(.controlReceiveExtra): return setMode(data) { $0.refusesUnicast = $1 }
        case .noBroadcast where features.contains(.controlReceiveExtra): return setMode(data) { $0.refusesBroadcast = $1 }
        case .setMACTable where features.contains(.controlReceive): return setTable(data, isCut: isCut)
        case .setMACAddress where features.contains(.controlMACAddress): return setAddress(data)
        case .acknowledgeAnnouncement where features.contains(.guestAnnounce):
            configuration.status.remove(.announce)
            return true
        case .setQueuePairs where features.contains(.multiqueue): return setPairs(data)
        case .setRSS where features.contains(.rss): return setRSS(data)
        default: return false
        }
    }

    private mutating func setMode(_ data: MemoryWindow, _ set: (inout VirtioNetFilter, Bool) -> Void) -> Bool {
        guard data.byteCount >= 1 else { return false }
        set(&filter, data.load8(at: 0) != 0)
        announceFilter()
        return true
    }

    /// Two tables, each judged against what is left. One that is longer than what was read lets everything in.
    private mutating func setTable(_ data: MemoryWindow, isCut: Bool) -> Bool {
        if isCut {
            filter.clearTable()
            filter.acceptAllOfTable()
            announceFilter()
            return true
        }
        guard let unicastCount = tableCount(data, at: 0) else { return false }
        let second = 4 + 6 * unicastCount
        guard let multicastCount = tableCount(data, at: second) else { return false }
        filter.clearTable()
        for index in 0..<unicastCount { filter.addUnicast(address(data, at: 4 + 6 * index)) }
        for index in 0..<multicastCount { filter.addMulticast(address(data, at: second + 4 + 6 * index)) }
        announceFilter()
        return true
    }

    /// Entries of the table at `offset`, if they are all there.
    private func tableCount(_ data: MemoryWindow, at offset: Int) -> Int? {
        guard data.byteCount - offset >= 4 else { return nil }
        let count = Int(data.load32(at: offset))
        return count <= (data.byteCount - offset - 4) / 6 ? count : nil
    }

    /// The first byte on the wire lowest.
    private func address(_ data: MemoryWindow, at offset: Int) -> UInt64 {
        UInt64(data.load32(at: offset)) | UInt64(data.load16(at: offset + 4)) << 32
    }

    private mutating func setAddress(_ data: MemoryWindow) -> Bool {
        guard data.byteCount >= 6 else { return false }
        let address = address(data, at: 0)
        guard address & 1 == 0, address != 0 else { return false }
        filter.setAddress(address)
        if transport.features.contains(.mac) { configuration.setAddress(address.littleEndianAddress) }
        announceFilter()
        return true
    }

    private mutating func setPairs(_ data: MemoryWindow) -> Bool {
        guard data.byteCount >= 2 else { return false }
        let count = Int(data.load16(at: 0))
        guard count >= 1, count <= options.pairs else { return false }
        steering.setPairs(count)
        transmitPairs = count
        return true
    }

    /// ``VirtioNet/RSSConfig``; every length is judged before what lies behind it is read.
    private mutating func setRSS(_ data: MemoryWindow) -> Bool {
        let layout = VirtioNet.RSSConfig.self
        guard data.byteCount >= layout.table else { return false }
        let types = VirtioNet.HashTypes(bits: data.load32(at: layout.hashTypes.offset))
        let count = Int(data.load16(at: layout.tableMask.offset)) + 1
        let unclassified = Int(data.load16(at: layout.unclassifiedQueue.offset))
        guard VirtioNetSteering.hashTypes.isSuperset(of: types), count <= layout.minimumTableCount, count & (count - 1) == 0,
            unclassified < options.pairs, data.byteCount >= layout.key(tableCount: count)
        else { return false }
        let entries = (0..<count).map { data.load16(at: layout.table + 2 * $0) }
        guard entries.allSatisfy({ Int($0) < options.pairs }) else { return false }
        let pairs = Int(data.load16(at: layout.maximumTransmitQueue(tableCount: count)))
        let keyByteCount = Int(data.load8(at: layout.keyByteCount(tableCount: count)))
        guard pairs >= 1, pairs <= options.pairs, keyByteCount <= layout.minimumKeyByteCount,
            data.byteCount >= layout.key(tableCount: count) + keyByteCount
        else { return false }
        let key = data.bytes(at: layout.key(tableCount: count), byteCount: keyByteCount)
        steering.setHash(types, entries: entries.map { UInt8(truncatingIfNeeded: $0) }, unclassified: unclassified, key: key)
        transmitPairs = pairs
        return true
    }
}
