public import DeviceAccess
public import DeviceMemory

/// One NIC function, set up and running: frames in, frames out. Belongs to one thread.
///
/// A batch call enters the port once and then works on descriptors, doorbells and packets alone: no system call, no
/// allocation, no lock.
public protocol Port: AnyObject {
    /// The device URL that it was opened by.
    var url: String { get }
    /// The family's name: "e1000e".
    var family: String { get }
    var macAddress: MACAddress { get }
    /// Largest frame in bytes without FCS that goes out or comes in.
    var maximumFrameByteCount: Int { get }
    /// Where this port's packets come from.
    var pool: PacketPoolReference { get }

    /// Takes up to `batch.room` received packets. Returns how many.
    func receive(into batch: inout PacketBatch) -> Int
    /// Sends from the front of the batch until it is empty or the ring is full; what is left stays in the batch.
    /// Frames below 60 bytes are padded by the NIC. Returns how many were taken.
    func send(_ batch: inout PacketBatch) -> Int

    /// Sleeps until something was received or the time is over; may wake early. With interrupts off it polls and yields.
    /// Throws when the device is gone.
    func waitForReceive(timeoutMilliseconds: Int32) throws(PortError)
    /// Throws when the device is gone or the link is down. Not for the data path.
    func checkHealth() throws(PortError)
    var linkIsUp: Bool { get }

    /// Replaces the receive filter; the port's own address and broadcast always pass.
    func setFilter(_ filter: ReceiveFilter) throws(PortError)

    /// What this port counted itself.
    var counters: PortCounters { get }
    /// What the device counted, read from its registers and added up since start.
    func readDeviceCounters() throws(PortError) -> DeviceCounters

    /// Takes back sent buffers that the device has finished with, as far as it has.
    func reclaim()
    /// Stops DMA, waits for what is in flight, takes every buffer back, resets the device. The port is done after it.
    func stop() throws(PortError)
}

extension Port {
    /// An empty packet of this port; nil when all buffers are in use.
    public func makePacket() -> Packet? { Packet(from: pool) }
    public func makeBatch(capacity: Int) -> PacketBatch { PacketBatch(capacity: capacity, pool: pool) }
}

/// How a port is opened.
public struct PortOptions: Sendable {
    /// Descriptors of each ring: a power of two, 64…4096.
    public var receiveRingSize = 512
    public var transmitRingSize = 512
    /// Packets that the owner may hold on top of what the rings hold.
    public var sparePackets = 512
    /// Largest frame in bytes without FCS: 1514, up to 9014 for jumbo frames.
    public var maximumFrameByteCount = 1514
    /// Sleep on interrupts in ``Port/waitForReceive(timeoutMilliseconds:)`` instead of polling.
    public var usesInterrupts = false
    /// At least so many microseconds between two interrupts; 0: no throttling.
    public var interruptIntervalMicroseconds = 0
    /// How long to wait for the link.
    public var linkTimeoutMilliseconds: UInt64 = 5000
    /// Where packet memory comes from.
    public var memory = MemoryPreference.hugepagesIfThere
    public init() {}

    public enum MemoryPreference: Sendable { case hugepagesIfThere, hugepagesOnly, ordinaryPages }
}

/// Which destination addresses are received beside the port's own and broadcast.
public struct ReceiveFilter: Equatable, Sendable {
    public var isPromiscuous = false
    public var acceptsAllMulticast = false
    public var multicast: [MACAddress] = []
    /// Further unicast addresses, at most 15 on the 82574L.
    public var unicast: [MACAddress] = []
    public init() {}
}

/// What a port counts itself. Single writer, the port's thread.
public struct PortCounters: Equatable, Sendable {
    public var receivedFrames: UInt64 = 0
    public var receivedBytes: UInt64 = 0
    public var sentFrames: UInt64 = 0
    public var sentBytes: UInt64 = 0
    /// Frames dropped because the device said more bytes than the buffer holds, or spread one over several buffers.
    public var receiveLengthErrors: UInt64 = 0
    /// Frames that the device marked as damaged.
    public var receiveErrors: UInt64 = 0
    /// Times that a receive descriptor could not be refilled because the pool was empty.
    public var refillStarved: UInt64 = 0
    /// Frames refused because they were empty or longer than the port's maximum.
    public var sendLengthErrors: UInt64 = 0
    public init() {}
}

/// What the device counted, from its statistics registers.
public struct DeviceCounters: Equatable, Sendable {
    public var receivedFrames: UInt64 = 0
    public var receivedBytes: UInt64 = 0
    public var sentFrames: UInt64 = 0
    public var sentBytes: UInt64 = 0
    /// Frames that found no descriptor or no buffer space.
    public var missedFrames: UInt64 = 0
    public var receiveErrors: UInt64 = 0
    public init() {}
}

/// What can go wrong with a port.
public enum PortError: Error, CustomStringConvertible {
    case device(DeviceError)
    /// A bounded wait for a register: what it waited for and what it saw last.
    case registerTimeout(url: String, register: String, mask: UInt32, lastValue: UInt32, milliseconds: UInt64)
    case linkDown(url: String, milliseconds: UInt64)
    case badOption(String)
    case wrongDevice(url: String, vendor: UInt16, device: UInt16)
    case noMemory(url: String, reason: String)

    public var description: String {
        switch self {
        case .device(let error): error.description
        case .registerTimeout(let url, let register, let mask, let last, let ms):
            "\(url): register \(register) did not reach the expected value under mask 0x\(String(mask, radix: 16)) within \(ms) ms (last 0x\(String(last, radix: 16)))."
        case .linkDown(let url, let ms): "\(url): no link within \(ms) ms. Check the cable, or the other end of the wire."
        case .badOption(let text): text
        case .wrongDevice(let url, let vendor, let device):
            "\(url): no driver for \(String(vendor, radix: 16)):\(String(device, radix: 16)). Supported: 8086:10d3 (Intel 82574L)."
        case .noMemory(let url, let reason): "\(url): no packet memory: \(reason)."
        }
    }
}
