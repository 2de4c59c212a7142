import MPIBridge
import NicDriver

/// A job of several ranks on a simulated wire: one thread, one virtual clock, one seed.
public final class Simulation {
    let plan: Plan
    private(set) var ranks: [Rank] = []
    var network: SimulatedNetwork
    var random: SplitMix
    public private(set) var now: UInt64 = 1_000
    public private(set) var steps = 0
    private let memory: PortMemory
    private var rankOfKey: [UInt64: Int] = [:]
    private var rankOfMAC: [UInt64: Int] = [:]

    // What was observed.
    var states: [MessageState]
    var observations = 0
    var sentCount = 0
    var deathHappened = false

    public init(plan: Plan, memory: PortMemory) {
        self.plan = plan
        self.memory = memory
        random = SplitMix(seed: plan.seed ^ 0x5157_2211_9988_0001)
        network = SimulatedNetwork(faults: plan.faults, random: SplitMix(seed: plan.seed ^ 0xabcd_ef01_2345_6789))
        states = Array(repeating: MessageState(), count: plan.messages.count)
        makeRanks()
    }

    private func makeRanks() {
        let usesRegions = plan.scripts.contains { $0.contains(where: \.usesRegions) }
        for index in 0..<plan.rankCount {
            let mac = MACAddress(bits: 0x02_00_00_00_00_10 + UInt64(index))
            let address = EndpointAddress(key: plan.keys[index], mac: mac, ipv4: 0x0a00_0001 + UInt32(index), udpPort: UInt16(5000 + index))
            let port = memory.makePort(macAddress: mac, shape: plan.shape)
            let rank = Rank(index: index, port: port, plan: plan, address: address, hasRegions: usesRegions)
            port.wire = { [unowned self] frame in network.carry(frame, limit: plan.shape.frameByteCount, now: now) }
            rankOfKey[address.key] = index
            rankOfMAC[mac.bits] = index
            ranks.append(rank)
        }
        guard plan.isWired else { return }
        for rank in ranks { for other in ranks where other !== rank { _ = peer(other.index, of: rank) } }
    }

    /// How a rank calls another.
    func peer(_ other: Int, of rank: Rank) -> PeerID {
        if let known = rank.peers[other] { return known }
        guard let peer = rank.endpoint.peer(for: ranks[other].address, now: now) else { preconditionFailure("no room for a peer") }
        rank.peers[other] = peer
        return peer
    }

    /// Whom a rank calls so.
    func rank(_ peer: PeerID, of rank: Rank) -> Int? { rank.endpoint.address(of: peer).flatMap { rankOfKey[$0.key] } }

    func failure(_ reason: String) -> SimulationFailure { SimulationFailure(seed: plan.seed, reason: reason, time: now) }

    /// Runs to the end.
    public func run() throws {
        for rank in ranks { rank.wakeAt = now }
        while try !isOver() { try step("the job does not end") }
        for rank in ranks where !rank.isDead { try cancelAll(rank) }
        try settle()
        try checkMatchingOrder()
        for rank in ranks where !rank.isDead { try checkRemains(of: rank) }
        try leave()
    }

    /// All ranks say goodbye, and no buffer is missing.
    private func leave() throws {
        for rank in ranks where !rank.isDead {
            rank.endpoint.sayGoodbye(now: now)
            rank.hasLeft = true
            rank.wakeAt = now
        }
        try settle()
        for rank in ranks where !rank.isDead && rank.endpoint.completionCount > 0 {
            throw failure("rank \(rank.index) has a completion after the end")
        }
        let ports = ranks.map(\.port)
        // Endpoints give back what they hold.
        ranks = []
        for (index, port) in ports.enumerated() where !memory.takeBack(port) { throw failure("rank \(index) lost packet buffers") }
    }

    /// Until nothing is on the wire and nobody has anything to do but to look for signs of life.
    private func settle() throws {
        let limit = now + 2 * plan.options.peerTimeout
        while now < limit {
            for rank in ranks where !rank.isDead { rank.wakeAt = wakeTime(of: rank) }
            let isAtRest = ranks.allSatisfy {
                $0.isDead || (residue(of: $0).isEmpty && !$0.port.hasFrames && $0.endpoint.nextDeadline > now)
            }
            if network.nextArrival == nil, isAtRest { return }
            try step("the endpoints do not come to rest")
        }
    }

    private func isOver() throws -> Bool {
        for rank in ranks where !rank.isDead {
            guard rank.isIdle, rank.endpoint.isQuiet else { return false }
        }
        for (number, state) in states.enumerated() where state.taker == nil && !isExcused(number) { return false }
        return true
    }

    /// A message of a dead rank, or to one.
    func isExcused(_ number: Int) -> Bool {
        guard deathHappened else { return false }
        return ranks[plan.messages[number].from].isDead || ranks[plan.messages[number].to].isDead
    }

    // The clock.

    private func step(_ complaint: String) throws {
        steps += 1
        var next = network.nextArrival ?? .max
        for rank in ranks where !rank.isDead { next = min(next, rank.wakeAt) }
        if let death = plan.death, !deathHappened { next = min(next, death.time) }
        now = max(now, next)
        guard now < plan.timeLimit else { throw failure("\(complaint) in \(plan.timeLimit) ns\(report())") }
        guard steps < 2_000_000 else { throw failure("\(complaint) in \(steps) steps\(report())") }
        if let death = plan.death, !deathHappened, now >= death.time {
            deathHappened = true
            ranks[death.rank].isDead = true
        }
        while let frame = network.takeArrival(until: now) { deliver(frame) }
        for rank in ranks where !rank.isDead {
            guard rank.wakeAt <= now else { continue }
            try run(rank)
            rank.wakeAt = wakeTime(of: rank)
        }
    }

    /// A switch: by the Ethernet address that a frame is for.
    private func deliver(_ frame: [UInt8]) {
        let mac = frame[0..<6].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard let index = rankOfMAC[mac], !ranks[index].isDead else { return }
        let rank = ranks[index]
        rank.port.arrive(frame)
        let poll = max(now + random.time(plan.pollPeriod), rank.computesUntil)
        rank.wakeAt = min(rank.wakeAt, poll)
    }

    private func run(_ rank: Rank) throws {
        rank.port.now = now
        let before = observations
        let moved = rank.endpoint.progress(now: now)
        try takeCompletions(of: rank)
        try act(rank)
        try takeCompletions(of: rank)
        rank.idleStep = moved || observations != before ? 200 : min(rank.idleStep * 2, 1_000_000)
    }

    /// When a rank calls again: the endpoint's deadline, what the wire brought, the script.
    private func wakeTime(of rank: Rank) -> UInt64 {
        var time = UInt64.max
        if rank.port.hasFrames { time = now + random.time(plan.pollPeriod) }
        time = min(time, max(rank.endpoint.nextDeadline, now + rank.idleStep))
        if !rank.isScriptDone || !rank.drainReceives.isEmpty || (!rank.isDraining && !rank.hasLeft) {
            time = min(time, max(rank.nextActionAt, now + 1))
        }
        return max(time, rank.computesUntil)
    }

    /// What the ranks still wait for.
    private func report() -> String {
        var text = plan.death.map { "\n    rank \($0.rank) dies at \($0.time)" } ?? ""
        for rank in ranks {
            text += "\n    rank \(rank.index): \(rank.isDead ? "dead, " : "")action \(rank.nextAction) of \(rank.script.count), "
            text += "\(rank.openSends) sends, \(rank.openAccesses) accesses, quiet: \(rank.endpoint.isQuiet), "
            text += "deadline: \(rank.endpoint.nextDeadline), frames: \(rank.port.hasFrames), "
            text += "\(rank.endpoint.residue)\n        \(rank.endpoint.counters)"
        }
        let missing = states.indices.filter { states[$0].taker == nil && !isExcused($0) }
        text +=
            "\n    messages that nobody got: \(missing.map { "\($0) (\(plan.messages[$0].from)→\(plan.messages[$0].to), \(plan.messages[$0].byteCount) bytes, sent: \(states[$0].sentOrder != nil))" })"
        return text
    }
}
