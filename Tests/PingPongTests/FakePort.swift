import DeviceAccess
import DeviceMemory
import LinuxIO
import NicDriver
import Synchronization

/// Two ends of a cable in memory. Faults are chosen by the number of the frame, so that a run can be repeated.
final class FakeCable: Sendable {
    struct Faults: Sendable {
        var dropsEvery = 0
        var corruptsEvery = 0
        /// Each frame so counted arrives twice.
        var duplicatesEvery = 0
        /// After so many frames nothing arrives any more.
        var silentAfter = Int.max
        /// After so many frames ports say that their device is gone.
        var goneAfter = Int.max
        /// A foreign frame comes with every one of ours.
        var addsNoise = false
    }

    let faults: Faults
    private let queues = [Queue(), Queue()]
    private let carried = Atomic<Int>(0)

    init(_ faults: Faults = Faults()) { self.faults = faults }

    private final class Queue: Sendable { let frames = Mutex<[[UInt8]]>([]) }

    var isGone: Bool { carried.load(ordering: .relaxed) >= faults.goneAfter }

    func carry(_ frame: [UInt8], to end: Int) {
        let number = carried.wrappingAdd(1, ordering: .relaxed).newValue
        func isDue(_ every: Int) -> Bool { every > 0 && number % every == 0 }
        if isDue(faults.dropsEvery) || number > faults.silentAfter { return }
        var frame = frame
        if isDue(faults.corruptsEvery) { frame[frame.count - 1] ^= 0x80 }
        let copies = isDue(faults.duplicatesEvery) ? 2 : 1
        queues[end].frames.withLock { queue in
            if faults.addsNoise { queue.append([UInt8](repeating: 0xff, count: 14)) }
            for _ in 0..<copies { queue.append(frame) }
        }
    }

    func take(_ end: Int) -> [UInt8]? { queues[end].frames.withLock { $0.isEmpty ? nil : $0.removeFirst() } }
}

final class FakePort: Port, QueuePair {
    let url: String
    let family = "fake"
    let macAddress: MACAddress
    let maximumFrameByteCount: Int
    var pool: PacketPoolReference { packets.reference }
    private(set) var counters = QueueCounters()
    let index = 0
    let statistics: PortStatistics
    func readRegisters() -> [DeviceRegister] { [] }
    var queuePairs: [any QueuePair] { [self] }
    let capabilities = PortCapabilities(
        longestFrameByteCount: 9014, queuePairCount: 1, furtherUnicastCount: 0, insertsChecksums: false, verifiesChecksums: false)
    private let packets: PacketPool
    private let cable: FakeCable
    private let end: Int

    init(on cable: FakeCable, end: Int, maximumFrameByteCount: Int = 9014) throws(PortError) {
        self.cable = cable
        self.end = end
        self.maximumFrameByteCount = maximumFrameByteCount
        url = "fake:\(end)"
        macAddress = MACAddress(bits: 0x02_00_00_00_00_10 + UInt64(end))
        statistics = try PortStatistics(url: url, family: family, macAddress: macAddress, options: PortOptions())
        do throws(SystemCallError) {
            packets = PacketPool(memory: try DMAMemory.ordinary(byteCount: 9088 * 64), iova: IOVA(0x1000), bufferByteCount: 9088)
        } catch { throw .noMemory(url: url, reason: error.description) }
    }

    func receive(into batch: inout PacketBatch) -> Int {
        var count = 0
        while batch.room > 0, let frame = cable.take(end), var packet = Packet(from: pool) {
            packet.byteCount = frame.count
            packet.window.store(frame, at: 0)
            _ = batch.append(packet)
            counters.receivedFrames += 1
            count += 1
        }
        return count
    }

    func send(_ batch: inout PacketBatch) -> Int {
        var count = 0
        while let packet = batch.removeFirst() {
            cable.carry(packet.window.bytes(at: 0, byteCount: packet.byteCount), to: 1 - end)
            counters.sentFrames += 1
            count += 1
        }
        return count
    }

    func waitForReceive(timeoutMilliseconds: Int32) throws(PortError) { Processor.yield() }

    func checkHealth() throws(PortError) {
        if cable.isGone { throw .device(.gone(device: url, reason: "the cable's fault plan says so")) }
    }
    var linkIsUp: Bool { !cable.isGone }
    func setFilter(_ filter: ReceiveFilter) throws(PortError) {}
    func readDeviceCounters() throws(PortError) -> DeviceCounters? {
        var device = DeviceCounters()
        device.sentFrames = counters.sentFrames
        device.receivedFrames = counters.receivedFrames
        return device
    }
    func reclaim() {}
    func stop() throws(PortError) {}
}
