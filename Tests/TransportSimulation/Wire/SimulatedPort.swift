import DeviceMemory
import LinuxIO
import NicDriver

/// A NIC on a simulated wire: a receive ring whose buffers come from the pool, as a real one's do, and a transmit ring that
/// holds buffers until the wire has taken them.
public final class SimulatedPort: Port, QueuePair {
    public struct Shape: Sendable {
        public var frameByteCount = 1514
        public var receiveRing = 64
        public var transmitRing = 64
        public var packets = 512
        /// How long the wire takes for a frame, nanoseconds.
        public var frameTime: UInt64 = 100
        /// Says of received frames which checksums are right, as most NICs do.
        public var verifiesChecksums = false
        public init() {}
    }

    public let url = "simulated:"
    public let family = "simulated"
    public let macAddress: MACAddress
    public let maximumFrameByteCount: Int
    public let capabilities: PortCapabilities
    public let statistics: PortStatistics
    public let index = 0
    public var pool: PacketPoolReference { packets.reference }
    public var queuePairs: [any QueuePair] { [self] }
    public private(set) var counters = QueueCounters()
    /// Frames that found no free buffer.
    public private(set) var dropped = 0

    let shape: Shape
    let packets: PacketPool
    /// Where sent frames go.
    public var wire: ([UInt8]) -> Void = { _ in }
    /// Virtual time, set by whoever runs the simulation.
    public var now: UInt64 = 0

    private var posted: [UInt32] = []
    private var filled: [PacketHandle] = []
    private var filledFirst = 0
    private var sending: [(index: UInt32, doneAt: UInt64)] = []
    private var sendingFirst = 0
    private var wireFreeAt: UInt64 = 0

    /// - Parameter packets: a whole pool; every buffer is back in it when the port is stopped.
    init(macAddress: MACAddress, shape: Shape, packets: PacketPool, statistics: PortStatistics) {
        self.macAddress = macAddress
        self.shape = shape
        self.packets = packets
        self.statistics = statistics
        maximumFrameByteCount = shape.frameByteCount
        capabilities = PortCapabilities(
            longestFrameByteCount: shape.frameByteCount, queuePairCount: 1, furtherUnicastCount: 0, insertsChecksums: false,
            verifiesChecksums: shape.verifiesChecksums)
        refill()
    }

    public var hasFrames: Bool { filledFirst < filled.count }
    /// When a full transmit ring has room again.
    var hasSendRoom: Bool { sending.count - sendingFirst < shape.transmitRing }

    /// A frame comes out of the wire.
    public func arrive(_ frame: [UInt8]) {
        guard frame.count <= pool.bufferByteCount, let buffer = posted.popLast() else {
            dropped += 1
            return
        }
        pool.window(of: buffer).store(frame, at: 0)
        var handle = PacketHandle(index: buffer, byteCount: UInt32(frame.count))
        if shape.verifiesChecksums { handle.word |= Checksums.found(in: frame).rawValue }
        filled.append(handle)
    }

    private func refill() {
        while posted.count + filled.count - filledFirst < shape.receiveRing, let buffer = pool.take() { posted.append(buffer) }
    }

    public func receive(into batch: inout PacketBatch) -> Int {
        reclaim()
        var count = 0
        while filledFirst < filled.count, batch.room > 0 {
            _ = batch.append(Packet(adopting: filled[filledFirst], in: pool))
            filledFirst += 1
            count += 1
        }
        if filledFirst == filled.count {
            filled.removeAll(keepingCapacity: true)
            filledFirst = 0
        }
        refill()
        counters.receivedFrames += UInt64(count)
        return count
    }

    public func send(_ batch: inout PacketBatch) -> Int {
        reclaim()
        var count = 0
        while hasSendRoom, let packet = batch.removeFirst() {
            precondition(packet.byteCount <= maximumFrameByteCount && packet.byteCount > 0, "a frame longer than the port's")
            wire(packet.window.bytes(at: 0, byteCount: packet.byteCount))
            wireFreeAt = max(wireFreeAt, now) + shape.frameTime
            sending.append((packet.release().index, wireFreeAt))
            count += 1
        }
        counters.sentFrames += UInt64(count)
        return count
    }

    public func reclaim() {
        while sendingFirst < sending.count, sending[sendingFirst].doneAt <= now {
            pool.give(sending[sendingFirst].index)
            sendingFirst += 1
        }
        if sendingFirst == sending.count {
            sending.removeAll(keepingCapacity: true)
            sendingFirst = 0
        }
    }

    public func waitForReceive(timeoutMilliseconds: Int32) throws(PortError) {}
    public func checkHealth() throws(PortError) {}
    public var linkIsUp: Bool { true }
    public func setFilter(_ filter: ReceiveFilter) throws(PortError) {}
    public func readDeviceCounters() throws(PortError) -> DeviceCounters? { nil }
    public func readRegisters() -> [DeviceRegister] { [] }

    public func stop() throws(PortError) {
        for buffer in posted { pool.give(buffer) }
        for handle in filled[filledFirst...] { pool.give(handle.index) }
        for buffer in sending[sendingFirst...] { pool.give(buffer.index) }
        posted = []
        filled = []
        filledFirst = 0
        sending = []
        sendingFirst = 0
    }
}
