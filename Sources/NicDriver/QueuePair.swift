public import DeviceMemory

/// One receive and one transmit queue of a port, with packets and an interrupt vector of their own: frames in, frames out.
/// Belongs to one thread, which need not be the port's, and shares nothing with other queue pairs. On `soft:` devices the
/// model is shared: there one thread has all of them.
///
/// A batch call enters the queue pair once and then works on descriptors, doorbells and packets alone: no system call, no
/// allocation, no lock.
public protocol QueuePair: AnyObject {
    /// Counted from 0 within the port.
    var index: Int { get }
    /// Where this queue pair's packets come from.
    var pool: PacketPoolReference { get }

    /// Takes up to `batch.room` received packets. Returns how many.
    func receive(into batch: inout PacketBatch) -> Int
    /// Sends from the front of the batch until it is empty or the ring is full; what is left stays in the batch.
    /// Frames below 60 bytes are padded by the NIC or its driver. Returns how many were taken.
    func send(_ batch: inout PacketBatch) -> Int

    /// Returns when something was received or the time is over, and may return early; how it waits is ``PortOptions/wait``.
    /// Throws when the device is gone.
    func waitForReceive(timeoutMilliseconds: Int32) throws(PortError)
    /// Before sleeping on a descriptor, for an owner that waits for other things, too: the next frame makes it readable.
    func armReceive() -> ReceiveArming
    /// After the sleep.
    func disarmReceive()

    /// Takes back sent buffers that the device has finished with, as far as it has.
    func reclaim()

    /// What this queue pair counted itself.
    var counters: QueueCounters { get }
}

/// What ``QueuePair/armReceive()`` found.
public enum ReceiveArming: Equatable, Sendable {
    /// There is something to receive: do not sleep, and ``QueuePair/disarmReceive()`` unless others sleep.
    case received
    /// This descriptor becomes readable when frames come in, and stays so until ``QueuePair/disarmReceive()``. It may become so
    /// for nothing. It stays the port's.
    case armed(Int32)
    /// The port was opened to poll (``PortOptions/wait``), or its device cannot wake anybody.
    case cannot
}

extension QueuePair {
    public func armReceive() -> ReceiveArming { .cannot }
    public func disarmReceive() {}

    /// An empty packet of this queue pair; nil when all buffers are in use.
    public func makePacket() -> Packet? { Packet(from: pool) }
    public func makeBatch(capacity: Int) -> PacketBatch { PacketBatch(capacity: capacity, pool: pool) }
}
