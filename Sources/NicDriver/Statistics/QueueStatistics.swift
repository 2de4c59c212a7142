import DeviceMemory

/// One queue pair's part of the statistics page: a few stores a batch, by its thread alone.
struct QueueStatistics {
    private let window: MemoryWindow
    private(set) var pollHits: UInt64 = 0
    private(set) var pollMisses: UInt64 = 0

    /// - Parameter window: the queue pair's 256 bytes; the port's statistics keep them alive.
    init(_ window: MemoryWindow) { self.window = window }

    /// After each call of `receive`. A poll that found nothing shows its number only, and drops that came without a
    /// frame now and then.
    @inline(__always)
    mutating func received(_ count: Int, _ counters: borrowing ReceiveCounters) {
        if count == 0 {
            pollMisses &+= 1
            window.store64(pollMisses, at: StatisticsLayout.pollMisses)
            if pollMisses & 63 != 0 { return }
        } else {
            pollHits &+= 1
            window.store64(pollHits, at: StatisticsLayout.pollHits)
            window.store64(UInt64(truncatingIfNeeded: count), at: StatisticsLayout.lastBatch)
        }
        window.store64(counters.frames, at: StatisticsLayout.receivedFrames)
        window.store64(counters.bytes, at: StatisticsLayout.receivedBytes)
        window.store64(counters.lengthErrors, at: StatisticsLayout.receiveLengthErrors)
        window.store64(counters.frameErrors, at: StatisticsLayout.receiveErrors)
        window.store64(counters.refillStarved, at: StatisticsLayout.refillStarved)
    }

    /// After each call of `send`.
    @inline(__always)
    func sent(_ counters: borrowing TransmitCounters, inFlight: Int) {
        window.store64(counters.frames, at: StatisticsLayout.sentFrames)
        window.store64(counters.bytes, at: StatisticsLayout.sentBytes)
        window.store64(counters.lengthErrors, at: StatisticsLayout.sendLengthErrors)
        window.store64(UInt64(truncatingIfNeeded: inFlight), at: StatisticsLayout.inFlight)
    }

    /// After the device has come back.
    func recovered(_ recovery: RecoveryCounters) {
        window.store64(recovery.count, at: StatisticsLayout.recoveries)
        window.store64(recovery.lostFrames, at: StatisticsLayout.framesLostInRecovery)
    }

    /// After each wait.
    func slept(interrupts: UInt64) { window.store64(interrupts, at: StatisticsLayout.interrupts) }
}
