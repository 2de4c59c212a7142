public import LinuxIO
public import NicDriver

/// Work on queue pairs that nobody else touches. Used by one thread at a time.
public protocol TrafficWorker: AnyObject {
    /// One batch. Returns how many frames were moved.
    func step() throws(PortError) -> Int
    var isDone: Bool { get }
    var tally: TrafficTally { get }
    /// When the first and the last batch were moved, nanoseconds of the monotonic clock; 0: none was.
    var firstAt: UInt64 { get }
    var lastAt: UInt64 { get }
}

/// Workers and the ports that they work on, from start to end.
public struct Crew {
    public var ports: [any Port]
    public var workers: [any TrafficWorker]
    /// nil: until the workers are done.
    public var milliseconds: UInt64?
    /// Ends when nothing was moved for so long; nil: never.
    public var idleMilliseconds: UInt64?
    /// What happens when a device is gone.
    public var recovery = Recovery.off
    /// A thread a worker; else the calling thread has all of them, as models in this process want it.
    public var usesThreads: Bool

    public init(ports: [any Port], workers: [any TrafficWorker], usesThreads: Bool) {
        self.ports = ports
        self.workers = workers
        self.usesThreads = usesThreads
    }

    /// So often ports are asked for their health, and their counters are shown to others.
    static let lookMilliseconds: UInt64 = 100

    /// Works until the time is over, the workers are done, `stop` is raised or a port fails.
    public func run(stop: StopFlag) -> TrafficReport {
        let watch = Watch(crew: self)
        repeat {
            if usesThreads { runThreads(stop: stop, watch) } else { runHere(stop: stop, watch) }
        } while recover(from: watch.takeLoss(), stop: stop, watch)
        var report = watch.report
        report.workers = workers.map(\.tally)
        let firsts = workers.map(\.firstAt).filter { $0 != 0 }
        if let first = firsts.min(), let last = workers.map(\.lastAt).max() { report.nanoseconds = last &- first }
        return report
    }

    /// Ports whose device was lost go on; no worker runs meanwhile. True: so do the workers.
    private func recover(from loss: PortError?, stop: StopFlag, _ watch: Watch) -> Bool {
        guard let loss, !stop.isRaised else { return false }
        for port in ports {
            do throws(PortError) { try port.checkHealth() } catch {
                guard error.tellsOfLostDevice else { continue }
                do throws(PortError) { try recovery.recover(port, from: error, stop: stop) } catch {
                    watch.fail(error)
                    return false
                }
                watch.noteRecovery()
                return true
            }
        }
        watch.fail(loss)
        return false
    }

    private func runHere(stop: StopFlag, _ watch: Watch) {
        var look = Deadline(afterMilliseconds: Self.lookMilliseconds)
        var round = 0
        while !stop.isRaised, !workers.allSatisfy(\.isDone) {
            var moved = 0
            for worker in workers where !worker.isDone {
                do { moved &+= try worker.step() } catch { return watch.note(error) }
            }
            if moved == 0 { Processor.yield() }
            round &+= 1
            if round & 15 == 0, look.hasPassed {
                look = Deadline(afterMilliseconds: Self.lookMilliseconds)
                if !watch.look() { return }
            }
        }
    }

    private func runThreads(stop: StopFlag, _ watch: Watch) {
        let end = StopFlag()
        let hands = workers.map { worker in Hand(worker, stop: stop, end: end) }
        for hand in hands { hand.start() }
        while !stop.isRaised, !hands.allSatisfy({ $0.hasEnded.isRaised }), !hands.contains(where: { $0.hasFailed.isRaised }) {
            sleep(milliseconds: UInt32(Self.lookMilliseconds))
            if !watch.look() { break }
        }
        end.raise()
        for hand in hands { if let error = hand.join() { watch.note(error) } }
    }
}

/// A worker's thread.
private final class Hand {
    let hasEnded = StopFlag()
    let hasFailed = StopFlag()
    private let body: @Sendable () -> PortError?
    private var thread: WorkerThread<PortError?>?

    init(_ worker: any TrafficWorker, stop: StopFlag, end: StopFlag) {
        let handedOver = HandedOver(worker)
        body = { [hasEnded, hasFailed] in
            defer { hasEnded.raise() }
            let worker = handedOver.value
            var idle = 0
            while !stop.isRaised, !end.isRaised, !worker.isDone {
                do throws(PortError) {
                    if try worker.step() > 0 {
                        idle = 0
                    } else {
                        idle &+= 1
                        if idle & 63 == 0 { Processor.yield() } else { Processor.spinHint() }
                    }
                } catch {
                    hasFailed.raise()
                    return error
                }
            }
            return nil
        }
    }

    func start() { thread = try? WorkerThread(body) }

    /// Without a thread nothing was done, which the tally shows.
    func join() -> PortError? { thread.take()?.join() ?? nil }
}

/// A value that changes threads once, and that its first thread leaves alone until the second one has ended.
private struct HandedOver<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}

/// Looks at time, ports and progress now and then.
private final class Watch {
    private let crew: Crew
    private let deadline: Deadline?
    private var published = Deadline(afterMilliseconds: 0)
    private var lastFrames: [UInt64] = []
    private var movedAt = MonotonicClock.nanoseconds()
    private var linkWasUp = true
    private(set) var report = TrafficReport()
    /// A device that is gone and may come back.
    private var loss: PortError?

    init(crew: Crew) {
        self.crew = crew
        deadline = crew.milliseconds.map(Deadline.init(afterMilliseconds:))
    }

    func fail(_ error: PortError) { if report.failure == nil { report.failure = "\(error)" } }

    /// What a worker or a port met: a lost device, or a failure.
    func note(_ error: PortError) {
        if error.tellsOfLostDevice, crew.recovery.milliseconds > 0 { loss = loss ?? error } else { fail(error) }
    }

    /// The loss that ended the work, if one did and nothing else.
    func takeLoss() -> PortError? {
        defer { loss = nil }
        return report.failure == nil ? loss : nil
    }

    func noteRecovery() {
        report.recoveryCount += 1
        movedAt = MonotonicClock.nanoseconds()
    }

    /// False: it is time to end.
    func look() -> Bool {
        if let deadline, deadline.hasPassed { return false }
        let publishes = published.hasPassed
        if publishes { published = Deadline(afterMilliseconds: 500) }
        for port in crew.ports {
            if publishes { port.publishStatistics() }
            if !isHealthy(port) { return false }
        }
        return !isIdle
    }

    /// A link that is down may come back.
    private func isHealthy(_ port: any Port) -> Bool {
        do {
            try port.checkHealth()
            linkWasUp = true
        } catch .linkDown {
            if linkWasUp { report.linkDownCount += 1 }
            linkWasUp = false
        } catch {
            note(error)
            return false
        }
        return true
    }

    /// What the ports show, not the workers' tallies, which are other threads'.
    private var isIdle: Bool {
        guard let limit = crew.idleMilliseconds else { return false }
        let frames = crew.ports.map { port in
            let counters = port.statistics.shown?.counters ?? QueueCounters()
            return counters.receivedFrames &+ counters.sentFrames
        }
        let now = MonotonicClock.nanoseconds()
        if frames != lastFrames || frames.allSatisfy({ $0 == 0 }) { movedAt = now }
        lastFrames = frames
        return now &- movedAt > limit &* 1_000_000
    }
}
