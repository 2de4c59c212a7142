import DeviceAccess
public import DeviceMemory
import LinuxIO
import NicRegisters

/// One receive and one transmit queue of the 82574L, which has two of each.
public final class E1000EQueuePair: QueuePair, InterruptingQueue {
    public let index: Int
    public let pool: PacketPoolReference

    let memory: PortMemory
    private let device: any DeviceAccess
    private let registers: RegisterFile
    private let step: ModelStep
    private let trapped: TrappedDoorbells
    private let forwardsDoorbells: Bool
    private let waiting: ReceiveWait
    private var rx: E1000ERxQueue
    private var tx: E1000ETxQueue<E1000ELegacyFormat>
    private var statistics: QueueStatistics
    private var recovery = RecoveryCounters()

    /// Takes its packets and fills its rings; the device knows nothing of them yet.
    init(
        index: Int, device: any DeviceAccess, registers: RegisterFile, memory: PortMemory, statistics: QueueStatistics, options: PortOptions
    )
        throws(PortError)
    {
        self.index = index
        self.device = device
        self.registers = registers
        self.memory = memory
        self.statistics = statistics
        // SAFETY: this queue pair keeps the device.
        step = unsafe ModelStep(of: device)
        pool = memory.pool.reference
        trapped = TrappedDoorbells(registers)
        let rxDoorbell = try trapped.doorbell(E1000E.rdt[index], url: device.url)
        let txDoorbell = try trapped.doorbell(E1000E.tdt[index], url: device.url)
        forwardsDoorbells = !trapped.isEmpty
        waiting = try ReceiveWait(mode: options.wait, progress: device.progress, url: device.url)
        guard
            let rx = E1000ERxQueue(
                ring: memory.receiveRing, pool: pool, doorbell: rxDoorbell, maximumFrameByteCount: options.maximumFrameByteCount)
        else { throw .noMemory(url: device.url, reason: "the pool is smaller than the receive ring") }
        self.rx = rx
        tx = E1000ETxQueue<E1000ELegacyFormat>(
            ring: memory.transmitRing, pool: pool, doorbell: txDoorbell, maximumFrameByteCount: options.maximumFrameByteCount)
    }

    // The data path.

    public func receive(into batch: inout PacketBatch) -> Int {
        // A model in this process moves frames first; hardware has done so already.
        step()
        let count = rx.receive(into: &batch)
        if forwardsDoorbells, count > 0 { trapped.forward() }
        statistics.received(count, rx.counters)
        return count
    }

    public func send(_ batch: inout PacketBatch) -> Int {
        precondition(batch.pool == pool, "a batch of another queue pair's pool")
        let count = tx.send(&batch)
        afterBatch()
        statistics.sent(tx.counters, inFlight: tx.inFlight)
        return count
    }

    /// What follows a batch: trapped doorbells go out, a model in this process takes a step.
    private func afterBatch() {
        if forwardsDoorbells { trapped.forward() }
        step()
    }

    public func reclaim() {
        step()
        tx.reclaim()
    }

    // Waiting.

    public func waitForReceive(timeoutMilliseconds: Int32) throws(PortError) {
        defer { statistics.slept(interrupts: waiting.interrupts) }
        try waiting.wait(for: self, timeoutMilliseconds: timeoutMilliseconds)
    }

    public func armReceive() -> ReceiveArming { waiting.arm(self) }
    public func disarmReceive() {
        waiting.disarm(self)
        statistics.slept(interrupts: waiting.interrupts)
    }

    /// What this queue's vector signals; nil when it polls.
    var eventNumber: Int32? { waiting.eventNumber }
    var hasReceived: Bool { rx.hasReceived }

    func armInterrupt() { registers.write(E1000E.InterruptCause.receiveQueue(index), to: E1000E.ims) }
    /// The device masks the cause when it fires (EIAM): at most one more comes.
    func disarmInterrupt() {}

    func checkPresence() throws(PortError) {
        do {
            try device.checkPresence()
            try registers.check()
        } catch { throw .device(error) }
    }

    public var counters: QueueCounters {
        QueueCounters(
            receive: rx.counters, transmit: tx.counters, statistics: statistics, interrupts: waiting.interrupts, recovery: recovery)
    }

    // The port's side.

    /// Hands the receive ring to the device, which is set up for it.
    func start() {
        rx.publishAll()
        afterBatch()
    }

    /// Waits until the device has taken all descriptors, or the time is over.
    func drainTransmit(until deadline: Deadline) {
        while registers.read(E1000E.tdh[index]) != tx.tailIndex, registers.fault == nil, !deadline.hasPassed {
            afterBatch()
            Processor.yield()
        }
    }

    /// The device is as new: both rings from their start, for ``start()``. Only before the device knows of them.
    func restart() {
        recovery.lostFrames &+= UInt64(rx.restart() + tx.restart())
        trapped.restart()
    }

    /// The device works again.
    func noteRecovery() {
        recovery.count &+= 1
        statistics.recovered(recovery)
    }

    /// Every buffer goes back to the pool. Only after the device has stopped.
    func takeBackBuffers() {
        rx.takeBackBuffers()
        tx.takeBackBuffers()
    }
}
