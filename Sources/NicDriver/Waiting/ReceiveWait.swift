import DeviceAccess
import DeviceMemory
import LinuxIO

/// A receive queue that can interrupt: what ``ReceiveWait`` needs of a family.
///
/// Interrupts are one-shot: the device sends one for the first frame after ``armInterrupt()``, then none until it is armed
/// again. One may also come late, or for no frame.
protocol InterruptingQueue: AnyObject {
    /// From now on the next frame interrupts. A frame that was there before may stay silent.
    func armInterrupt()
    /// No more interrupts, as far as that is cheap; one may be on its way.
    func disarmInterrupt()
    /// Whether `receive` would find something. One look at memory.
    var hasReceived: Bool { get }
    /// Throws when the device is gone.
    func checkPresence() throws(PortError)
}

/// How one queue's thread waits for frames: it looks for a while, then arms the interrupt, looks once more, and sleeps.
///
/// No wake-up is lost, because the look comes after arming: a frame that arrives before the device is armed is seen by the
/// look, one that arrives later interrupts, and the eventfd was emptied before arming, so that it holds every interrupt since.
final class ReceiveWait {
    private let mode: PortOptions.WaitMode
    private let progress: DeviceProgress?
    private let event: EventFD?
    private var sources: [Int32] = []
    /// Times that an interrupt ended a sleep.
    private(set) var interrupts: UInt64 = 0

    /// So long a sleep lasts at most before the device is asked whether it is still there.
    private static let sliceMilliseconds: Int32 = 250

    /// - Parameter progress: the device's, if it lives in this thread.
    init(mode: PortOptions.WaitMode, progress: DeviceProgress?, url: String) throws(PortError) {
        self.mode = mode
        self.progress = progress
        do {
            event = mode.usesInterrupts ? try EventFD() : nil
        } catch {
            throw .device(.systemCall(device: url, group: nil, cause: error, fix: "Raise the limit of open files (ulimit -n)."))
        }
    }

    /// What the queue's vector signals; nil when it polls.
    var eventNumber: Int32? {
        switch event {
        case .some(let event): event.number
        case .none: nil
        }
    }

    /// Returns when the queue has received something or the time is over.
    func wait(for queue: some InterruptingQueue, timeoutMilliseconds: Int32) throws(PortError) {
        let deadline = Deadline(afterMilliseconds: UInt64(max(0, timeoutMilliseconds)))
        switch mode {
        case .poll: _ = look(for: queue) { deadline.hasPassed }
        case .interrupt: try sleep(until: deadline, queue)
        case .adaptive(let spinMicroseconds):
            let spun = MonotonicClock.nanoseconds() &+ UInt64(clamping: spinMicroseconds) &* 1000
            if look(for: queue, until: { deadline.hasPassed || MonotonicClock.nanoseconds() >= spun }) { return }
            try sleep(until: deadline, queue)
        }
    }

    /// Looks until the queue has received something (true) or `isOver`, which is asked now and then.
    private func look(for queue: some InterruptingQueue, until isOver: () -> Bool) -> Bool {
        var polls = 0
        while !queue.hasReceived {
            if polls & 15 == 0, isOver() { return false }
            if let progress { _ = progress.step() }
            polls &+= 1
            if polls & 63 == 0 { Processor.yield() } else { Processor.spinHint() }
        }
        return true
    }

    private func sleep(until deadline: Deadline, _ queue: some InterruptingQueue) throws(PortError) {
        while !queue.hasReceived, !deadline.hasPassed {
            let slice = min(deadline.remainingMilliseconds, Self.sliceMilliseconds)
            if !armAndSleep(queue, timeoutMilliseconds: slice) { try queue.checkPresence() }
        }
        queue.disarmInterrupt()
    }

    /// Arms for a sleep of the caller's own; see ``QueuePair/armReceive()``. A device of this thread needs its wire's wake-up for a
    /// turn, in which it interrupts.
    func arm(_ queue: some InterruptingQueue) -> ReceiveArming {
        guard let number = eventNumber else { return .cannot }
        let wake = armAndLook(queue, number)
        if queue.hasReceived { return .received }
        guard progress != nil else { return .armed(number) }
        if let wake { return .armed(wake) }
        disarm(queue)
        return .cannot
    }

    func disarm(_ queue: some InterruptingQueue) {
        guard let number = eventNumber else { return }
        progress?.disarmWake()
        queue.disarmInterrupt()
        if EventFD.drain(number) > 0 { interrupts &+= 1 }
    }

    /// Turns that a model may need for what came before the arming: frames that nobody wants are many in a turn.
    private static let longestLook = 64

    /// Returns what a device of this thread wakes by.
    private func armAndLook(_ queue: some InterruptingQueue, _ number: Int32) -> Int32? {
        EventFD.drain(number)
        queue.armInterrupt()
        let wake = progress?.armWake()
        // Arming is a store to the device, the look a load from memory: they must not change places.
        DeviceBarrier.full()
        if let progress {
            for _ in 0..<Self.longestLook {
                guard progress.step(), !queue.hasReceived else { break }
            }
        }
        return wake
    }

    /// Returns whether something happened: the look found a frame, or the sleep was ended.
    private func armAndSleep(_ queue: some InterruptingQueue, timeoutMilliseconds: Int32) -> Bool {
        guard let number = eventNumber else { return false }
        let wake = armAndLook(queue, number)
        defer { progress?.disarmWake() }
        if queue.hasReceived { return true }
        sources.removeAll(keepingCapacity: true)
        sources.append(number)
        if let wake { sources.append(wake) }
        let ready = waitForReadable(sources, timeoutMilliseconds: timeoutMilliseconds)
        var isInterrupted = ready.contains(0)
        if let progress {
            _ = progress.step()
            // A device of this thread interrupts in a turn of its own, which its wire's wake-up only gave it.
            isInterrupted = isInterrupted || EventFD.drain(number) > 0
        }
        if isInterrupted { interrupts &+= 1 }
        return !ready.isEmpty
    }
}
