import DeviceMemory
import LinuxIO
import MPIBridge
import NicDriver

/// Datagrams between the port and queue pairs. The caller holds the lock.
extension VerbsObject where State == Adapter {
    /// A frame for the datagrams' UDP port.
    func arrived(_ packet: consuming Packet, now: UInt64) {
        let window = packet.window
        let end: Int
        switch IncomingDatagram.judge(
            window, byteCount: packet.byteCount, flags: packet.flags, ipv4: state.name.ipv4, udpPort: VerbsUDPPort.datagrams,
            shortest: DatagramLayout.reportEnd)
        {
        case .good(let last): end = last
        case .foreign:
            state.counters.foreignFrames &+= 1
            return
        case .malformed:
            state.counters.malformedFrames &+= 1
            return
        }
        switch DatagramFrame.judge(window, end: end, key: state.name.key) {
        case .foreign: state.counters.foreignFrames &+= 1
        case .malformed: state.counters.malformedFrames &+= 1
        case .good(let frame):
            guard let peer = state.datagrams.stranger(key: frame.sourceKey, name: Self.sender(window, key: frame.sourceKey)) else {
                state.counters.foreignFrames &+= 1
                return
            }
            state.datagrams[peer].pacing.heard(report: frame.report)
            guard frame.kind == .datagram else { return }
            state.datagrams[peer].pacing.came(number: frame.number)
            deliver(frame, window, from: state.datagrams[peer].name)
            if state.datagrams[peer].pacing.owesReport { sendReport(to: peer) }
        }
    }

    private static func sender(_ window: MemoryWindow, key: UInt64) -> PortName? {
        guard let life = PortName.life(ofKey: key), let source = IncomingDatagram.source(window, key: key) else { return nil }
        return PortName(life: life, ipv4: source.ipv4, mac: source.mac)
    }

    private func deliver(_ frame: DatagramFrame, _ window: MemoryWindow, from source: PortName) {
        guard let queuePair = state.queuePairs[frame.destinationQueuePair] else {
            state.counters.datagramsRefused &+= 1
            return
        }
        switch queuePair.takeDatagram(frame, window, from: source) {
        case .taken: state.counters.datagramsReceived &+= 1
        case .refused: state.counters.datagramsRefused &+= 1
        case .noReceive: state.counters.datagramsWithoutReceive &+= 1
        }
    }

    /// Sends a datagram of a queue pair. False: not now.
    func sendDatagram(_ work: SendWork, from queuePair: UInt32, now: UInt64) -> Bool {
        // InfiniBand's C10-93.1.1, as linux, drivers/infiniband/sw/rxe/rxe_req.c quotes it: one that is longer than the port's MTU
        // is not sent, and that is no error.
        guard work.memory.byteCount <= state.datagramLimit else { return true }
        let isLocal = state.datagrams[work.peer].name == state.name
        guard isLocal || state.datagrams[work.peer].pacing.mayGo(now: now) && hasSendRoom, var packet = Packet(from: state.pool) else {
            return false
        }
        var flags = DatagramFlags()
        if work.options.contains(.immediate) { flags.insert(.immediate) }
        if work.options.contains(.solicited) { flags.insert(.solicited) }
        var frame = DatagramFrame(kind: .datagram, flags: flags, sourceKey: state.name.key, number: 0, report: 0)
        frame.destinationQueuePair = work.remoteQueuePair
        frame.sourceQueuePair = queuePair
        frame.queueKey = work.remoteQueueKey
        frame.immediate = work.immediate
        frame.payloadByteCount = work.memory.byteCount
        let window = packet.window
        work.memory.copy(offset: 0, byteCount: frame.payloadByteCount, to: window, at: DatagramLayout.payload)
        packet.byteCount = DatagramLayout.payload + frame.payloadByteCount
        state.counters.datagramsSent &+= 1
        // A NIC does not send to itself.
        if isLocal { deliver(frame, window, from: state.name) } else { send(packet, frame, to: work.peer) }
        return true
    }

    private func sendReport(to peer: UInt32) {
        guard hasSendRoom, var packet = Packet(from: state.pool) else { return }
        packet.byteCount = DatagramLayout.reportEnd
        state.counters.reportsSent &+= 1
        send(packet, DatagramFrame(kind: .report, flags: [], sourceKey: state.name.key, number: 0, report: 0), to: peer)
    }

    private func send(_ packet: consuming Packet, _ header: DatagramFrame, to peer: UInt32) {
        var header = header
        let byteCount = packet.byteCount
        if header.kind == .datagram { header.number = state.datagrams[peer].pacing.next() }
        header.report = state.datagrams[peer].pacing.tell()
        let window = packet.window
        state.datagrams[peer].template.store(into: window)
        header.emit(into: window, destinationKey: state.datagrams[peer].name.key)
        state.datagrams[peer].template.seal(window, byteCount: byteCount)
        _ = state.outgoing.append(packet)
    }
}
