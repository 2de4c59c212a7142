public import DeviceMemory

/// One NIC function, set up and running. Frames go through its queue pairs; this is the control path, one thread at a time.
public protocol Port: AnyObject {
    /// The device URL that it was opened by.
    var url: String { get }
    /// The family's name: "e1000e".
    var family: String { get }
    var macAddress: MACAddress { get }
    /// Largest frame in bytes without FCS that goes out or comes in.
    var maximumFrameByteCount: Int { get }
    var capabilities: PortCapabilities { get }
    /// ``PortOptions/queuePairCount`` of them, at least one. The device spreads flows over them (RSS).
    var queuePairs: [any QueuePair] { get }

    /// Throws when the device is gone or the link is down. Not for the data path.
    func checkHealth() throws(PortError)
    var linkIsUp: Bool { get }

    /// Replaces the receive filter; the port's own address and broadcast always pass.
    func setFilter(_ filter: ReceiveFilter) throws(PortError)

    /// What the device counted, read from its registers and added up since start; nil if the device does not tell.
    func readDeviceCounters() throws(PortError) -> DeviceCounters?

    /// How the device stands: the registers that say the most, rings' heads and tails among them. Reading changes nothing.
    func readRegisters() -> [DeviceRegister]

    /// What others may see of this port while it runs.
    var statistics: PortStatistics { get }

    /// Whether a device that is gone may come back: ``recover(timeoutMilliseconds:)`` is worth a try.
    var canRecover: Bool { get }
    /// Waits for a device that is gone to come back, at most so long, and goes on with it: same address, filter, memory and
    /// interrupts, rings from the start. Frames that were in them are counted as lost, their buffers are free again; packets
    /// that the owner holds stay his, and counters go on.
    ///
    /// No thread may be in one of the port's queue pairs. After an error this may be tried again.
    func recover(timeoutMilliseconds: UInt64) throws(PortError)

    /// Stops DMA, waits for what is in flight, takes every buffer back, resets the device. The port is done after it, and
    /// no thread may be in one of its queue pairs.
    func stop() throws(PortError)
}

extension Port {
    public var canRecover: Bool { false }
    public func recover(timeoutMilliseconds: UInt64) throws(PortError) {
        throw .device(.gone(device: url, reason: "its \(family) driver cannot go on with a device that comes back; open it anew"))
    }
}

/// A port with one queue pair is that queue pair. A loop that cares for nanoseconds keeps the queue pair itself.
extension Port {
    private var first: any QueuePair { queuePairs[0] }

    public var pool: PacketPoolReference { first.pool }
    public func makePacket() -> Packet? { first.makePacket() }
    public func makeBatch(capacity: Int) -> PacketBatch { first.makeBatch(capacity: capacity) }
    public func receive(into batch: inout PacketBatch) -> Int { first.receive(into: &batch) }
    public func send(_ batch: inout PacketBatch) -> Int { first.send(&batch) }
    public func reclaim() { first.reclaim() }
    public func waitForReceive(timeoutMilliseconds: Int32) throws(PortError) {
        try first.waitForReceive(timeoutMilliseconds: timeoutMilliseconds)
    }

    /// Shows the device's counters, its registers and its link to whoever looks at this port's statistics. The queue pairs
    /// show theirs themselves, after each batch.
    public func publishStatistics() {
        statistics.publish(device: (try? readDeviceCounters()) ?? nil, registers: readRegisters(), linkIsUp: linkIsUp)
    }

    /// What all queue pairs counted. Those that run on other threads may be a batch ahead.
    public var counters: QueueCounters { queuePairs.reduce(QueueCounters()) { $0 + $1.counters } }
}
