import CVerbs
import DeviceMemory
import Devices
import Glibc
import LinuxIO
import MPIBridge
import NicDriver
import Testing

@testable import VerbsProvider

/// An adapter with a port of its own on a wire, and memory that it shows to peers. The test drives it: it has no helper thread.
final class Side {
    let adapter: VerbsObject<Adapter>
    let queue: VerbsObject<CompletionQueue>
    let bytes: DMAMemory
    let key: UInt32
    static let domain: UInt32 = 1
    static let everything: MemoryAccess = [.localWrite, .remoteWrite, .remoteRead]

    static func wire() -> String { "verbs-sides-\(getpid())-\(UInt32.random(in: 0...UInt32.max))" }

    init(wire: String, byteCount: Int = 4096) throws {
        var options = PortOptions.verbs(for: "soft:\(wire)", mtu: nil)
        options.publishesStatistics = false
        let port = try Devices.open("soft:\(wire)", options: options)
        adapter = VerbsObject(Adapter(url: port.url, port: port, scratch: try DMAMemory.ordinary(byteCount: 4096)))
        // One that has ended: no other is started.
        adapter.state.helper = try WorkerThread {}
        bytes = try DMAMemory.ordinary(byteCount: byteCount)
        // SAFETY: a structure of numbers and of pointers that nobody follows.
        queue = unsafe VerbsObject(
            CompletionQueue(view: ibv_cq(), adapter: adapter, number: 0, channel: nil, entries: CompletionEntries(capacity: 64)))
        let key = adapter.state.memory.add(
            domain: Self.domain, address: UInt(bytes.processAddress), byteCount: byteCount, base: 0, access: Self.everything)
        self.key = try #require(key)
    }

    func makeQueuePair() throws -> VerbsObject<VerbsQueuePair> {
        let taken = adapter.state.queuePairs.takeNumber()
        let number = try #require(taken)
        // SAFETY: as above.
        var view = unsafe ibv_qp()
        unsafe view.qp_num = number
        let sends = WorkRing<SendWork>(capacity: 64)
        let inlineData = InlineData(count: sends.capacity, byteCount: 0)
        let limits = QueuePairLimits(sends: 64, receives: 64, sendPieces: 1, receivePieces: 1, inlineData: 0)
        // SAFETY: as above.
        let queuePair = unsafe VerbsObject(
            VerbsQueuePair(
                view: view, adapter: adapter, service: .connected, domain: Self.domain, sendQueue: queue, receiveQueue: queue,
                signalsAll: true, limits: limits, sends: sends, receives: WorkRing(capacity: 64),
                inlineData: inlineData))
        adapter.state.queuePairs.set(queuePair, number: number)
        return queuePair
    }

    func modify(
        _ queuePair: VerbsObject<VerbsQueuePair>, to state: ibv_qp_state, _ mask: QueuePairAttributes,
        _ change: (inout ibv_qp_attr) -> Void = { _ in }
    ) -> Int32 {
        var attributes = ibv_qp_attr()
        attributes.qp_state = state
        attributes.port_num = PortAttributes.portNumber
        attributes.path_mtu = IBV_MTU_1024
        attributes.max_rd_atomic = 4
        attributes.timeout = 14
        attributes.retry_cnt = 7
        change(&attributes)
        return adapter.locked { queuePair.modify(attributes, mask: mask.union(.state)) }
    }

    func initialize(_ queuePair: VerbsObject<VerbsQueuePair>, _ access: MemoryAccess = everything) -> Int32 {
        modify(queuePair, to: IBV_QPS_INIT, [.partition, .port, .access]) { $0.qp_access_flags = access.rawValue }
    }

    func connect(_ queuePair: VerbsObject<VerbsQueuePair>, to peer: Side, _ other: VerbsObject<VerbsQueuePair>) -> Int32 {
        modify(queuePair, to: IBV_QPS_RTR, [.path, .pathMTU, .remoteQueuePair, .receiveNumber, .servedReads, .receiverTimer]) {
            $0.dest_qp_num = other.state.number
            $0.ah_attr.is_global = 1
            $0.ah_attr.port_num = PortAttributes.portNumber
            // SAFETY: the member of the union that both sides use.
            unsafe $0.ah_attr.grh.dgid.global.subnet_prefix = peer.adapter.state.name.high.bigEndian
            unsafe $0.ah_attr.grh.dgid.global.interface_id = peer.adapter.state.name.low.bigEndian
        }
    }

    func open(_ queuePair: VerbsObject<VerbsQueuePair>, _ change: (inout ibv_qp_attr) -> Void = { _ in }) -> Int32 {
        modify(queuePair, to: IBV_QPS_RTS, [.timeout, .retries, .receiverRetries, .sendNumber, .readLimit], change)
    }

    /// A request for the first bytes of both sides' memory.
    func post(
        _ queuePair: VerbsObject<VerbsQueuePair>, _ id: UInt64, _ operation: SendWork.Operation, byteCount: Int, key: UInt32 = 0
    ) {
        var work = SendWork(wrID: id, operation: operation, options: .signaled, memory: memory(byteCount: byteCount))
        work.remoteKey = key
        adapter.locked {
            queuePair.state.sends.append(work)
            queuePair.work(now: MonotonicClock.nanoseconds())
            queuePair.becomeBusy()
            adapter.flush()
        }
    }

    func postReceive(_ queuePair: VerbsObject<VerbsQueuePair>, _ id: UInt64, byteCount: Int) {
        adapter.locked {
            queuePair.state.receives.append(ReceiveWork(wrID: id, memory: memory(byteCount: byteCount)))
            queuePair.work(now: MonotonicClock.nanoseconds())
        }
    }

    private func memory(byteCount: Int) -> ApplicationMemory {
        precondition(byteCount <= bytes.byteCount)
        // SAFETY: memory of this object, which outlives what it posts.
        return unsafe ApplicationMemory(address: UInt(bytes.processAddress), byteCount: byteCount)
    }

    func fill(_ value: UInt8) {
        for offset in stride(from: 0, to: bytes.byteCount, by: 8) {
            bytes.window.store64(UInt64(value) * 0x0101_0101_0101_0101, at: offset)
        }
    }
    func byte(_ offset: Int) -> UInt8 { bytes.window.load8(at: offset) }

    func progress() { adapter.locked { adapter.progress(now: MonotonicClock.nanoseconds()) } }

    /// The oldest completion that nobody has taken.
    func take() -> WorkCompletion? { queue.state.entries.removeFirst() }

    /// Drives all sides until a condition holds; whether it did.
    static func drive(_ sides: [Side], milliseconds: UInt64 = 20_000, until condition: () -> Bool) -> Bool {
        let deadline = Deadline(afterMilliseconds: milliseconds)
        while !condition() {
            if deadline.hasPassed { return false }
            for side in sides { side.progress() }
        }
        return true
    }

    /// The next completion here, with all sides driven.
    func next(_ sides: [Side]) -> WorkCompletion? {
        var found: WorkCompletion?
        _ = Self.drive(sides) {
            found = take()
            return found != nil
        }
        return found
    }
}
