import MPIBridge

/// One process of a job: its port, its endpoint, and an application that carries out a script.
final class Rank {
    let index: Int
    let port: SimulatedPort
    var endpoint: MessageEndpoint
    let address: EndpointAddress
    var peers: [PeerID?]
    var isDead = false
    var hasLeft = false

    // The application.
    var script: [Plan.Action]
    var nextAction = 0
    var nextActionAt: UInt64 = 0
    var computesUntil: UInt64 = 0
    /// How often the action was tried that has no room.
    var tries = 0, drainTries = 0
    var isDraining = false
    /// Sends that had no room, ready to be tried again, by message.
    var prepared: [Int: (memory: GuardedMemory, context: UInt)] = [:]
    var drainReceives: [(space: MessageSpace, byteCount: Int)] = []

    // What it waits for. A context is an index here.
    enum Operation {
        case send(message: Int, memory: GuardedMemory)
        case take(Taker)
        case access(Plan.RemoteAccess, memory: GuardedMemory)
        case atomic(Plan.Atomic, memory: GuardedMemory)
        case over
    }
    var operations: [Operation] = []
    var takers: [Taker] = []
    /// Memory that the endpoint may use until all is quiet: of sends that tell nobody.
    var lent: [(memory: GuardedMemory, message: Int)] = []
    var silentAccesses: [(access: Plan.RemoteAccess, memory: GuardedMemory)] = []
    var openSends = 0, openAccesses = 0
    var order = 0

    // Memory that others reach.
    let readable = GuardedMemory(byteCount: Plan.regionByteCount)
    let writable = GuardedMemory(byteCount: Plan.regionByteCount)
    let counted = GuardedMemory(byteCount: 16)
    /// What others have begun to set in it, and what they saw there.
    var bitsToCome: UInt64 = 0
    var fetched: [UInt64] = []
    let hasRegions: Bool
    /// Writes with data whose completion is to come, by data.
    var expectedWrites: [UInt64: Plan.RemoteAccess] = [:]

    // When it runs.
    var wakeAt: UInt64 = 0
    var idleStep: UInt64 = 200

    init(index: Int, port: SimulatedPort, plan: Plan, address: EndpointAddress, hasRegions: Bool) {
        self.index = index
        self.port = port
        self.address = address
        self.hasRegions = hasRegions
        peers = Array(repeating: nil, count: plan.rankCount)
        script = plan.scripts[index]
        endpoint = MessageEndpoint(port: port, address: address, options: plan.options, now: 0)
        counted.word = 0
        guard hasRegions else { return }
        readable.fill(readPattern)
        // SAFETY: the memory lives as long as this rank, which the endpoint does not outlive.
        let didRegister =
            unsafe endpoint.register(address: readable.address, byteCount: Plan.regionByteCount, key: Plan.readKey, access: .remoteRead)
            && endpoint.register(address: writable.address, byteCount: Plan.regionByteCount, key: Plan.writeKey, access: .remoteWrite)
            && endpoint.register(address: counted.address, byteCount: 16, key: Plan.atomicKey, access: [.remoteRead, .remoteWrite])
        precondition(didRegister)
    }

    var readPattern: Pattern { Pattern(UInt64(index) + 1_000_000) }

    var isScriptDone: Bool { nextAction == script.count }
    /// Whether it has posted all that it will.
    var isIdle: Bool { isScriptDone && isDraining && drainReceives.isEmpty && openSends == 0 && openAccesses == 0 }

    func context(for operation: Operation) -> UInt {
        operations.append(operation)
        return UInt(operations.count - 1)
    }

    /// The operation was not taken.
    func forget(_ context: UInt) {
        if Int(context) == operations.count - 1 { operations.removeLast() } else { operations[Int(context)] = .over }
    }
}
