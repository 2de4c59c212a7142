import DeviceAccess
import DeviceMemory
import LinuxIO
import NicRegisters

/// One receive and one transmit queue of a virtio-net function, in either ring format.
final class VirtioNetQueuePair<Receive: VirtioReceiveQueue & ~Copyable, Transmit: VirtioTransmitQueue & ~Copyable>: QueuePair,
    VirtioNetPair,
    InterruptingQueue
{
    let index: Int
    let pool: PacketPoolReference

    let memory: VirtioNetMemory
    private let device: any DeviceAccess
    private let common: VirtioCommonConfig
    private let step: ModelStep
    private let trapped: [TrappedNotification]
    private let forwardsNotifications: Bool
    private let waiting: ReceiveWait
    private var rx: Receive
    private var tx: Transmit
    private let portStatistics: PortStatistics
    private var statistics: QueueStatistics
    private let parts: VirtioNetPairParts
    private var recovery = RecoveryCounters()

    /// Takes its packets and fills its rings; the device knows nothing of them yet.
    init(_ parts: VirtioNetPairParts) throws(PortError) {
        index = parts.index
        device = parts.device
        common = parts.common
        memory = parts.memory
        portStatistics = parts.statistics
        statistics = parts.statistics.queue(parts.index)
        trapped = parts.trapped
        // SAFETY: this queue pair keeps the device.
        step = unsafe ModelStep(of: device)
        forwardsNotifications = !trapped.isEmpty
        pool = memory.pool.reference
        waiting = try ReceiveWait(mode: parts.options.wait, progress: device.progress, url: device.url)
        self.parts = parts
        rx = Self.receiveQueue(parts)
        tx = Self.transmitQueue(parts)
    }

    private static func receiveQueue(_ parts: VirtioNetPairParts) -> Receive {
        Receive(
            parts.memory.receive, usesEventIndex: parts.features.contains(.eventIndex),
            judge: VirtioFrameJudge(
                pool: parts.memory.pool.reference, maximumFrameByteCount: parts.options.maximumFrameByteCount, features: parts.features),
            notifier: parts.receiveNotifier)
    }

    private static func transmitQueue(_ parts: VirtioNetPairParts) -> Transmit {
        Transmit(
            parts.memory.transmit, usesEventIndex: parts.features.contains(.eventIndex),
            preparation: VirtioFramePreparation(
                pool: parts.memory.pool.reference, maximumFrameByteCount: parts.options.maximumFrameByteCount, features: parts.features),
            notifier: parts.transmitNotifier)
    }

    // The data path.

    func receive(into batch: inout PacketBatch) -> Int {
        precondition(batch.pool == pool, "a batch of another queue pair's pool")
        // A model in this process moves frames first; hardware has done so already.
        step()
        let count = rx.receive(into: &batch)
        if forwardsNotifications { forward() }
        statistics.received(count, rx.counters)
        return count
    }

    func send(_ batch: inout PacketBatch) -> Int {
        precondition(batch.pool == pool, "a batch of another queue pair's pool")
        let count = tx.send(&batch)
        afterBatch()
        statistics.sent(tx.counters, inFlight: tx.inFlight)
        return count
    }

    private func forward() { for cell in trapped { cell.forward() } }

    /// What follows a batch: trapped notifications go out, a model in this process takes a step.
    private func afterBatch() {
        if forwardsNotifications { forward() }
        step()
    }

    func reclaim() {
        step()
        tx.reclaim()
    }

    // Waiting.

    func waitForReceive(timeoutMilliseconds: Int32) throws(PortError) {
        try checkRings()
        defer { statistics.slept(interrupts: waiting.interrupts) }
        try waiting.wait(for: self, timeoutMilliseconds: timeoutMilliseconds)
    }

    func armReceive() -> ReceiveArming { waiting.arm(self) }
    func disarmReceive() {
        waiting.disarm(self)
        statistics.slept(interrupts: waiting.interrupts)
    }

    /// What this queue's vector signals; nil when it polls.
    var eventNumber: Int32? { waiting.eventNumber }
    var hasReceived: Bool { rx.hasReceived }
    func armInterrupt() { rx.armInterrupt() }
    func disarmInterrupt() { rx.disarmInterrupt() }

    func checkPresence() throws(PortError) {
        do { try device.checkPresence() } catch { throw .device(error) }
        try common.check()
    }

    /// Throws once the device has broken a ring's rules.
    func checkRings() throws(PortError) {
        for (name, violation) in [("receive", rx.violation), ("transmit", tx.violation)] {
            guard let violation else { continue }
            throw .device(
                .protocolViolation(
                    device: device.url, reason: "\(name) queue \(index) is not used any more, since \(violation). Open the device again"))
        }
    }

    var counters: QueueCounters {
        var all = QueueCounters(
            receive: rx.counters, transmit: tx.counters, statistics: statistics, interrupts: waiting.interrupts, recovery: recovery)
        all.ringViolations = (rx.violation == nil ? 0 : 1) + (tx.violation == nil ? 0 : 1)
        return all
    }

    // The port's side.

    func start() {
        rx.start()
        afterBatch()
    }

    /// Waits until the device has given all frames back, or the time is over.
    func drainTransmit(until deadline: Deadline) {
        while tx.inFlight != 0, tx.violation == nil, !deadline.hasPassed {
            reclaim()
            Processor.yield()
        }
    }

    /// The device is as new: both queues from their start, with the buffers that were in them. Only before the device knows
    /// of them.
    func restart() {
        tx.reclaim()
        recovery.lostFrames &+= UInt64(rx.readyCount + tx.inFlight)
        takeBackBuffers()
        memory.clearRings()
        var receive = Self.receiveQueue(parts)
        receive.keepCounters(of: rx)
        rx = receive
        var transmit = Self.transmitQueue(parts)
        transmit.keepCounters(of: tx)
        tx = transmit
        for cell in trapped { cell.restart() }
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

/// A queue pair to its port, whatever its ring format.
protocol VirtioNetPair: QueuePair {
    var memory: VirtioNetMemory { get }
    var eventNumber: Int32? { get }
    func start()
    func restart()
    func noteRecovery()
    func checkRings() throws(PortError)
    func drainTransmit(until deadline: Deadline)
    func takeBackBuffers()
}

/// What a queue pair is made of.
struct VirtioNetPairParts {
    let index: Int
    let device: any DeviceAccess
    let common: VirtioCommonConfig
    let memory: VirtioNetMemory
    let features: VirtioFeatures
    let options: PortOptions
    let statistics: PortStatistics
    let receiveNotifier: VirtioNotifier
    let transmitNotifier: VirtioNotifier
    let trapped: [TrappedNotification]

    func make() throws(PortError) -> any VirtioNetPair {
        features.contains(.ringPacked)
            ? try VirtioNetQueuePair<PackedReceiveQueue, PackedTransmitQueue>(self)
            : try VirtioNetQueuePair<SplitReceiveQueue, SplitTransmitQueue>(self)
    }
}
