import DeviceMemory
import Devices
import LinuxIO
import NicDriver

/// The port as the transport sees it: it sends through the real one, and receives what the adapter has sorted out for it.
final class TransportPort: Port {
    private let port: any Port
    let queuePair: TransportQueuePair
    private let isWithinMachine: Bool

    init(_ port: any Port) {
        self.port = port
        queuePair = TransportQueuePair(port.queuePairs[0])
        isWithinMachine = DeviceURL.isWithinMachine(port.url)
    }

    var url: String { port.url }
    var family: String { port.family }
    var macAddress: MACAddress { port.macAddress }
    /// So few bytes that a whole window of 64 frames fits into the ring of 256 KiB of a wire within the machine, on which UD alone
    /// uses longer ones.
    var maximumFrameByteCount: Int { min(port.maximumFrameByteCount, isWithinMachine ? 4014 : .max) }
    var capabilities: PortCapabilities { port.capabilities }
    var queuePairs: [any QueuePair] { [queuePair] }
    var linkIsUp: Bool { port.linkIsUp }
    var statistics: PortStatistics { port.statistics }
    func checkHealth() throws(PortError) { try port.checkHealth() }
    func setFilter(_ filter: ReceiveFilter) throws(PortError) { try port.setFilter(filter) }
    func readDeviceCounters() throws(PortError) -> DeviceCounters? { try port.readDeviceCounters() }
    func readRegisters() -> [DeviceRegister] { port.readRegisters() }
    func stop() throws(PortError) { try port.stop() }
}

final class TransportQueuePair: QueuePair {
    private let queuePair: any QueuePair
    /// Received frames that are the transport's.
    private(set) var inbox: PacketBatch

    init(_ queuePair: any QueuePair) {
        self.queuePair = queuePair
        inbox = queuePair.makeBatch(capacity: Adapter.batch)
    }

    var index: Int { queuePair.index }
    var pool: PacketPoolReference { queuePair.pool }
    var counters: QueueCounters { queuePair.counters }
    /// Everything that has arrived, to be sorted.
    func receiveFromPort(into batch: inout PacketBatch) -> Int { queuePair.receive(into: &batch) }
    /// A frame for the transport; what has no room is dropped, as by a full ring.
    func take(_ handle: PacketHandle) { _ = inbox.append(Packet(adopting: handle, in: inbox.pool)) }
    func send(_ batch: inout PacketBatch) -> Int { queuePair.send(&batch) }
    func reclaim() { queuePair.reclaim() }
    func waitForReceive(timeoutMilliseconds: Int32) throws(PortError) {
        try queuePair.waitForReceive(timeoutMilliseconds: timeoutMilliseconds)
    }

    func receive(into batch: inout PacketBatch) -> Int {
        var count = 0
        while batch.room > 0, let packet = inbox.removeFirst() {
            _ = batch.append(packet)
            count &+= 1
        }
        return count
    }
}
