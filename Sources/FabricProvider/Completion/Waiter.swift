import LinuxIO

/// What a thread sleeps on until endpoints want to be driven: their NICs' interrupts, a timer for what they have to do by themselves, and
/// a signal of other threads. One descriptor stands for all: FI_WAIT_FD gives it away.
///
/// Nothing is lost: endpoints are armed first and looked at afterwards (``QueuePair/armReceive()``), and whoever changes something for a
/// sleeper signals it while ``isArmed``. A wake-up for nothing is possible.
struct Waiter: ~Copyable {
    /// A look at endpoints that cannot wake anybody, or have frames that nobody may take yet.
    private static let lookInterval: UInt64 = 1_000_000
    /// What is due at once is due in the next look.
    private static let shortestSleep: UInt64 = 50_000

    private struct Source {
        let endpoint: FabricObject<OpenEndpoint>
        let descriptor: Int32
    }

    private let descriptors: DescriptorSet
    private let timer: DeadlineTimer
    private let signal: EventFD
    private var sources: [Source] = []
    /// Somebody may sleep on ``number``.
    private(set) var isArmed = false
    /// The endpoints count it among their waiters.
    private var holdsEndpoints = false

    init() throws(SystemCallError) {
        let descriptors = try DescriptorSet(), timer = try DeadlineTimer(), signal = try EventFD()
        try descriptors.insert(timer.number)
        try descriptors.insert(signal.number)
        self.descriptors = descriptors
        self.timer = timer
        self.signal = signal
    }

    /// Readable when it is time to look.
    var number: Int32 { descriptors.number }

    /// Wakes who sleeps.
    @inline(__always) mutating func notify() { if isArmed { signal.signal() } }

    /// Only ``notify()`` ends the sleep, or the moment.
    mutating func arm(until moment: UInt64 = .max) {
        signal.drain()
        timer.set(at: moment)
        isArmed = true
    }

    /// Whatever an endpoint has to do ends the sleep. False: one of them has received something.
    /// - Parameter insists: frames that are there already do not keep anybody awake: they are looked at again a little later.
    mutating func arm(_ endpoints: borrowing ProgressList, now: UInt64, insists: Bool) -> Bool {
        var moment = UInt64.max
        var isIdle = true
        for index in 0..<endpoints.count {
            let endpoint = endpoints[index]
            if !holdsEndpoints { endpoint.state.waiters += 1 }
            var isWatched = false
            switch endpoint.state.armReceive() {
            case .armed(let descriptor): isWatched = watch(descriptor, of: endpoint)
            case .received:
                isIdle = isIdle && insists
                // Others who sleep on it go on sleeping.
                if endpoint.state.waiters == 1 { endpoint.state.disarmReceive() }
            case .cannot: break
            }
            moment = min(moment, max(endpoint.state.nextDeadline, now &+ Self.shortestSleep))
            if !isWatched { moment = min(moment, now &+ Self.lookInterval) }
        }
        holdsEndpoints = true
        isArmed = true
        if isIdle { arm(until: moment) } else { disarm(endpoints) }
        return isIdle
    }

    /// The sleep is over, also that of others who slept on it.
    mutating func disarm(_ endpoints: borrowing ProgressList) {
        guard isArmed else { return }
        isArmed = false
        timer.set(at: .max)
        signal.signal()
        guard holdsEndpoints else { return }
        holdsEndpoints = false
        for index in 0..<endpoints.count {
            endpoints[index].state.waiters -= 1
            if endpoints[index].state.waiters == 0 { endpoints[index].state.disarmReceive() }
        }
    }

    /// False: there is no room for it.
    private mutating func watch(_ descriptor: Int32, of endpoint: FabricObject<OpenEndpoint>) -> Bool {
        if sources.contains(where: { $0.endpoint == endpoint && $0.descriptor == descriptor }) { return true }
        forget(endpoint)
        guard (try? descriptors.insert(descriptor)) != nil else { return false }
        sources.append(Source(endpoint: endpoint, descriptor: descriptor))
        return true
    }

    /// Before the endpoint's port is closed; while disarmed.
    mutating func forget(_ endpoint: FabricObject<OpenEndpoint>) {
        for source in sources where source.endpoint == endpoint { descriptors.remove(source.descriptor) }
        sources.removeAll { $0.endpoint == endpoint }
    }
}
