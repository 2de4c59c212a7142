/// When a thread that looks for completions in vain lets others run.
///
/// With a core for each process, giving up the CPU costs a system call and nothing else runs: it is done seldom. When processes
/// share cores, who is waited for may be one that waits for this core: then it is done after a few looks. Which of the two it is,
/// the yield itself tells: one that took long had somebody else run.
struct IdlePolicy: Equatable, Sendable {
    static let shortestPatience: UInt32 = 8
    static let longestPatience: UInt32 = 2048
    /// sched_yield(2) with nobody else to run takes well below a microsecond; another process's turn takes longer.
    static let longYieldNanoseconds: UInt64 = 3000

    /// Looks in vain until the CPU is given up.
    private(set) var patience: UInt32 = 512
    private var looks: UInt32 = 0

    @inline(__always) mutating func foundSomething() { looks = 0 }

    /// A look in vain. True: now is the time to give up the CPU.
    @inline(__always) mutating func foundNothing() -> Bool {
        looks &+= 1
        return looks >= patience
    }

    mutating func yielded(forNanoseconds time: UInt64) {
        looks = 0
        patience =
            time >= Self.longYieldNanoseconds
            ? max(patience / 4, Self.shortestPatience) : min(patience * 2, Self.longestPatience)
    }
}
