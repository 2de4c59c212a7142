import DeviceMemory
import Devices
import LinuxIO
import MPIBridge
import NicDriver

/// An open port and everything that goes over it: what InfiniBand calls a channel adapter. One for a process, shared by its
/// contexts; whoever touches it holds ``lock``.
@safe struct Adapter: ~Copyable {
    let lock = SpinLock()
    let url: String
    let port: any Port
    let name: PortName
    let transportPort: TransportPort
    /// ``transportPort``'s, which keeps it alive: for the data path, without reference counting.
    fileprivate let link: Unmanaged<TransportQueuePair>
    let pool: PacketPoolReference
    /// Bytes of the longest UD message.
    let datagramLimit: Int

    var incoming: PacketBatch
    var outgoing: PacketBatch
    var transport: MessageEndpoint
    let eagerLimit: Int
    var datagrams: DatagramPeers
    var counters = AdapterCounters()
    /// For route headers on their way to a program.
    let scratch: DMAMemory

    var queuePairs = QueuePairTable()
    /// Numbers of queue pairs with send requests that wait for something.
    var busy: [UInt32] = []
    var memory = MemoryKeys()
    var completionQueues = NumberedObjects<CompletionQueue>()
    var nextDomain: UInt32 = 1
    var contextCount = 0
    /// Objects of contexts that were closed before them.
    var hasLeftovers = false
    /// The port has stopped: nothing touches it any more.
    var isClosed = false
    /// On wires within this machine: whether peers' processes live.
    let liveness: EndpointLiveness?
    var peersLookedAt: UInt64 = 0

    /// Nanoseconds.
    var lastProgress: UInt64 = 0
    var lastFrame: UInt64 = 0
    var helper: WorkerThread<Void>?
    var helperShallEnd = false
    let owner = LinuxIO.processIdentifier

    static let batch = 32
    /// Nanoseconds after which a peer that does not answer is gone. A process that lives answers, also without calls (``HelperThread``).
    private static let peerTimeout: UInt64 = 15_000_000_000

    init(url: String, port: any Port, scratch: consuming DMAMemory) {
        self.url = url
        self.port = port
        self.scratch = scratch
        name = PortName(of: port)
        transportPort = TransportPort(port)
        // SAFETY: the transport's port lives as long as the adapter.
        unsafe link = Unmanaged.passUnretained(transportPort.queuePair)
        pool = transportPort.queuePair.pool
        incoming = PacketBatch(capacity: Self.batch, pool: pool)
        outgoing = PacketBatch(capacity: 2 * Self.batch, pool: pool)
        datagramLimit = PathMTU.largest(frameByteCount: port.maximumFrameByteCount).byteCount
        liveness = DeviceURL.isWithinMachine(url) ? try? EndpointLiveness(key: name.key) : nil
        var options = TransportOptions()
        options.peerTimeout = Self.peerTimeout
        eagerLimit = options.eagerLimit
        transport = MessageEndpoint(
            port: transportPort, address: name.endpoint(udpPort: VerbsUDPPort.connected), options: options,
            now: MonotonicClock.nanoseconds())
        datagrams = DatagramPeers(local: name)
        busy.reserveCapacity(QueuePairTable.capacity)
    }
}

/// What an adapter counted beside the port and the transport.
struct AdapterCounters: Equatable, BitwiseCopyable {
    var datagramsSent: UInt64 = 0, datagramsReceived: UInt64 = 0, reportsSent: UInt64 = 0
    /// For a queue pair that is not there, with the wrong key, or longer than the receive's memory.
    var datagramsRefused: UInt64 = 0
    /// No receive was posted.
    var datagramsWithoutReceive: UInt64 = 0
    var foreignFrames: UInt64 = 0, malformedFrames: UInt64 = 0
}

extension VerbsObject where State == Adapter {
    /// Runs a call alone.
    @inline(__always) func locked<Result>(_ body: () -> Result) -> Result {
        state.lock.lock()
        defer { state.lock.unlock() }
        return body()
    }
}

/// The port's first queue pair, on the data path.
extension VerbsObject where State == Adapter {
    /// Takes what has arrived, of every kind.
    @inline(__always) func receiveFrames() -> Int {
        // SAFETY: the transport's port keeps it alive (``Adapter/link``).
        unsafe state.link._withUnsafeGuaranteedRef { $0.receiveFromPort(into: &state.incoming) }
    }

    @inline(__always) func sendFrames() {
        // SAFETY: as above.
        _ = unsafe state.link._withUnsafeGuaranteedRef { $0.send(&state.outgoing) }
    }

    /// For the transport.
    @inline(__always) func hand(_ packet: consuming Packet) {
        let handle = packet.release()
        // SAFETY: as above.
        unsafe state.link._withUnsafeGuaranteedRef { $0.take(handle) }
    }

    @inline(__always) var transportHasFrames: Bool {
        // SAFETY: as above.
        unsafe state.link._withUnsafeGuaranteedRef { !$0.inbox.isEmpty }
    }
}
