import DeviceAccess
import LinuxIO
import Synchronization
import Testing

@testable import NicDriver

/// A queue of a device that interrupts once after it was armed, and that the test interrupts at every step of a wait.
private final class SteppedQueue: InterruptingQueue, Sendable {
    private struct State {
        var isArmed = false
        var hasFrame = false
        /// A frame of before that was taken by polling: the device interrupts for it as soon as it is armed.
        var hasOldCause = false
        var step = 0
        var arrivedAt: UInt64 = 0
    }

    private let state = Mutex(State())
    let event: Int32
    /// The frame arrives at this step: before or after one of the wait's looks at the device.
    let arrivalStep: Int
    /// A device that is late says so only in the eventfd of an earlier arming.
    let disarms: Bool

    init(event: Int32, arrivalStep: Int, disarms: Bool = true, hasOldCause: Bool = false) {
        self.event = event
        state.withLock { $0.hasOldCause = hasOldCause }
        self.arrivalStep = arrivalStep
        self.disarms = disarms
    }

    var steps: Int { state.withLock { $0.step } }
    /// When the frame arrived, nanoseconds of the monotonic clock.
    var arrivedAt: UInt64 { state.withLock { $0.arrivedAt } }

    func arrive() {
        let interrupts = state.withLock { state in
            defer { if state.isArmed { state.isArmed = false } }
            state.hasFrame = true
            state.arrivedAt = MonotonicClock.nanoseconds()
            return state.isArmed
        }
        if interrupts { EventFD.signal(event) }
    }

    private func pass() {
        let now = state.withLock { state in
            defer { state.step += 1 }
            return state.step
        }
        if now == arrivalStep { arrive() }
    }

    func armInterrupt() {
        pass()
        let interrupts = state.withLock { state in
            defer { state.hasOldCause = false }
            state.isArmed = !state.hasOldCause
            return state.hasOldCause
        }
        if interrupts { EventFD.signal(event) }
        pass()
    }

    func disarmInterrupt() { if disarms { state.withLock { $0.isArmed = false } } }

    var hasReceived: Bool {
        pass()
        let has = state.withLock { $0.hasFrame }
        pass()
        return has
    }

    func checkPresence() throws(PortError) { pass() }
}

@Suite struct ReceiveWaitTests {
    static let modes: [PortOptions.WaitMode] = [.interrupt, .adaptive(spinMicroseconds: 0), .adaptive(spinMicroseconds: 30)]

    /// Runs one wait and returns how long it took, in milliseconds.
    private func milliseconds(_ wait: ReceiveWait, _ queue: SteppedQueue, timeout: Int32 = 5000) throws -> UInt64 {
        let start = MonotonicClock.nanoseconds()
        try wait.wait(for: queue, timeoutMilliseconds: timeout)
        return (MonotonicClock.nanoseconds() - start) / 1_000_000
    }

    /// The wait's first sleep is the end of its steps: later arrivals are those of the next test.
    @Test(arguments: modes, [false, true])
    func aFrameThatArrivesAtAnyStepEndsTheWait(mode: PortOptions.WaitMode, isStale: Bool) throws {
        for step in 0..<10 {
            let wait = try ReceiveWait(mode: mode, progress: nil, url: "soft:test")
            let event = try #require(wait.eventNumber)
            // An interrupt that an earlier wait did not take.
            if isStale { EventFD.signal(event) }
            let queue = SteppedQueue(event: event, arrivalStep: step)
            // A polling phase has as many steps as it has time for; a step that is not reached is made up for here.
            let late = try WorkerThread {
                sleep(milliseconds: 50)
                if queue.steps <= step { queue.arrive() }
            }
            try wait.wait(for: queue, timeoutMilliseconds: 5000)
            let noticed = (MonotonicClock.nanoseconds() - queue.arrivedAt) / 1_000_000
            late.join()
            #expect(queue.hasReceived)
            #expect(noticed < 150, "step \(step): noticed after \(noticed) ms, a lost wake-up")
        }
    }

    @Test(arguments: modes)
    func aFrameThatArrivesWhileTheThreadSleepsEndsTheSleep(mode: PortOptions.WaitMode) throws {
        let wait = try ReceiveWait(mode: mode, progress: nil, url: "soft:test")
        let queue = SteppedQueue(event: try #require(wait.eventNumber), arrivalStep: .max)
        let sender = try WorkerThread {
            sleep(milliseconds: 50)
            queue.arrive()
        }
        let took = try milliseconds(wait, queue)
        sender.join()
        // Below a slice: the interrupt ended it.
        #expect((40..<240).contains(took), "\(took) ms")
        #expect(wait.interrupts == 1)
    }

    /// Armed, the device interrupts for a frame that is long gone, and is silent from then on: that interrupt must arm it again.
    @Test(arguments: modes)
    func anInterruptThatArmingBringsIsNotThrownAway(mode: PortOptions.WaitMode) throws {
        let wait = try ReceiveWait(mode: mode, progress: nil, url: "soft:test")
        let queue = SteppedQueue(event: try #require(wait.eventNumber), arrivalStep: .max, hasOldCause: true)
        let sender = try WorkerThread {
            sleep(milliseconds: 50)
            queue.arrive()
        }
        let took = try milliseconds(wait, queue)
        sender.join()
        #expect((40..<240).contains(took), "\(took) ms")
        #expect(wait.interrupts == 2)
    }

    @Test func anInterruptForNoFrameIsSleptThrough() throws {
        let wait = try ReceiveWait(mode: .interrupt, progress: nil, url: "soft:test")
        let event = try #require(wait.eventNumber)
        let queue = SteppedQueue(event: event, arrivalStep: .max)
        let noise = try WorkerThread {
            for _ in 0..<5 {
                sleep(milliseconds: 10)
                EventFD.signal(event)
            }
            sleep(milliseconds: 10)
            queue.arrive()
        }
        let took = try milliseconds(wait, queue)
        noise.join()
        #expect(queue.hasReceived)
        #expect((50..<300).contains(took), "\(took) ms")
    }

    @Test(arguments: modes + [.poll])
    func aWaitWithoutAFrameEndsInTime(mode: PortOptions.WaitMode) throws {
        let wait = try ReceiveWait(mode: mode, progress: nil, url: "soft:test")
        let queue = SteppedQueue(event: wait.eventNumber ?? -1, arrivalStep: .max)
        let took = try milliseconds(wait, queue, timeout: 60)
        #expect((59..<400).contains(took), "\(took) ms")
    }

    @Test func pollingNeedsNoEventAndAdaptiveSpinsFirst() throws {
        #expect(try ReceiveWait(mode: .poll, progress: nil, url: "soft:test").eventNumber == nil)
        let wait = try ReceiveWait(mode: .adaptive(spinMicroseconds: 200_000), progress: nil, url: "soft:test")
        let queue = SteppedQueue(event: try #require(wait.eventNumber), arrivalStep: 40)
        try wait.wait(for: queue, timeoutMilliseconds: 1000)
        #expect(wait.interrupts == 0)
    }
}
