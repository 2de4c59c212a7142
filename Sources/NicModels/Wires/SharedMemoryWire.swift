public import DeviceMemory
import LinuxIO

/// An end of a named wire in shared memory, which up to 64 ends in several processes of one user join. Every frame is copied
/// to every other end that wants it. How the file is laid out, who owns what, and what a crash does: docs/wire.md.
///
/// Between two ends a frame costs one copy and no system call. Nothing waits: a full ring drops, counted. Whatever others
/// write into the memory costs at most frames. Only their shrinking the file under the mapping ends this process (SIGBUS):
/// processes of the same user can end each other anyway.
public final class SharedMemoryWire: Wire {
    /// How many ends a wire has.
    public static var endCount: Int { WireLayout.endCount }

    private let membership: WireMembership
    private var rings: WireRings
    private var generations = [UInt32](repeating: 0, count: WireLayout.endCount)
    /// Generations whose owners died without leaving.
    private var deadGenerations = [UInt32](repeating: 0, count: WireLayout.endCount)
    private var wakeNames = [[UInt8]](repeating: [], count: WireLayout.endCount)
    private var emptyLooks: UInt32 = 0
    private var lastHousekeeping: UInt64 = 0

    /// Joins the wire `name`, making it if nobody is on it.
    /// - Parameters:
    ///   - name: 1 to 64 letters, digits, '.', '_' and '-', not beginning with '.'.
    ///   - directory: where the wires' files lie; nil for this user's own, ``defaultDirectory``.
    public init(name: String, directory: String? = nil) throws(WireError) {
        let membership = try WireMembership.join(wire: name, directoryPath: directory ?? SharedMemoryWire.defaultDirectory)
        rings = WireRings(memory: membership.memory, end: membership.end)
        self.membership = membership
        refresh()
        housekeep()
    }

    deinit { membership.leave() }

    /// In /dev/shm, which is the same for all processes of a machine or container. A directory that comes from a login
    /// session's environment would part processes that were started in different ways.
    public static var defaultDirectory: String { "/dev/shm/unic-\(effectiveUser)" }

    public var name: String { membership.wire }
    /// Which of the ends this is, 0 to 63.
    public var end: Int { membership.end }
    public var counters: WireCounters { rings.counters }

    public func send(_ frame: MemoryWindow) {
        if rings.membershipChanged() { refresh() }
        rings.send(frame)
    }

    public func flush() {
        let asleep = rings.sleepers()
        if asleep != 0 { wake(asleep) }
    }

    public func nextReceived() -> MemoryWindow? {
        if rings.membershipChanged() { refresh() }
        if let frame = rings.next() { return frame }
        emptyLooks &+= 1
        if emptyLooks & 1023 == 0 { housekeep() }
        return nil
    }

    public func dropReceived() { rings.drop() }

    public func announceFilter(unicast: UInt64?) {
        rings.setFilter(unicast.map { ($0 &<< 16).byteSwapped | WireLayout.filterIsSet } ?? 0)
    }

    /// A wire is a hub: its link is up whoever else is on it.
    public var hasCarrier: Bool { true }

    /// Whether another live end is on the wire. Costs a system call an end, at most each 100 ms.
    public var hasPeers: Bool {
        if rings.membershipChanged() { refresh() }
        housekeep()
        return rings.liveEnds != 0
    }

    public func armWake() -> Int32? {
        membership.wakeSocket.drain()
        rings.arm()
        return membership.wakeSocket.number
    }

    public func disarmWake() {
        rings.disarm()
        membership.wakeSocket.drain()
    }

    /// Who is on the wire now, by what they wrote and by what was found out about their death.
    private func refresh() {
        var live: UInt64 = 0
        for other in 0..<WireLayout.endCount where other != membership.end {
            let generation = rings.generation(of: other)
            if generation != generations[other] {
                generations[other] = generation
                wakeNames[other] = generation & 1 == 1 ? membership.wakeName(other, generation: generation) : []
            }
            if generation & 1 == 1, generation != deadGenerations[other] { live |= 1 &<< other }
        }
        rings.setLive(live)
    }

    /// At most each 100 ms: who died (the kernel dropped its lock), and whether this end's own words are as they were.
    private func housekeep() {
        let now = MonotonicClock.nanoseconds()
        guard now &- lastHousekeeping >= 100_000_000 else { return }
        lastHousekeeping = now
        rings.mendOwnWords(generation: membership.generation)
        for other in 0..<WireLayout.endCount where rings.liveEnds & (1 &<< other) != 0 {
            // The generation was read before the lock is tested: whoever joins in between has another one.
            if !membership.isHeld(other) { deadGenerations[other] = generations[other] }
        }
        refresh()
    }

    /// Wakes sleepers. One that is not there under its name may have been replaced after the last look at who is: then the
    /// one that armed is woken under its own.
    private func wake(_ ends: UInt64) {
        for other in 0..<WireLayout.endCount where ends & (1 &<< other) != 0 {
            if membership.wakeSocket.wake(wakeNames[other]) == .delivered { continue }
            refresh()
            if !wakeNames[other].isEmpty { _ = membership.wakeSocket.wake(wakeNames[other]) }
        }
    }
}
