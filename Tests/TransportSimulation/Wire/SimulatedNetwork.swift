/// What happens to frames on their way. Chances are of a million.
public struct NetworkFaults: Sendable {
    public var loss = 0
    public var duplication = 0
    public var corruption = 0
    /// Frames that are held back so long that others overtake them.
    public var detours = 0
    /// Frames with bytes behind their datagram.
    public var padding = 0
    public var delay: ClosedRange<UInt64> = 1_000...2_000
    public var detour: ClosedRange<UInt64> = 10_000...200_000
    /// Loss in the burst that is on or off, and how probable it is to begin.
    public var bursts = 0
    /// Whether bits of the sender's Ethernet address may flip, too: nothing but the FCS protects it.
    public var corruptsSourceAddress = true
    public init() {}
}

/// Frames under way on a virtual clock, in the order in which they arrive.
struct SimulatedNetwork {
    struct Arrival {
        let time: UInt64
        /// Breaks ties, so that a seed means one run.
        let number: UInt64
        let frame: [UInt8]

        func isBefore(_ other: Arrival) -> Bool { time != other.time ? time < other.time : number < other.number }
    }

    var faults: NetworkFaults
    private var random: SplitMix
    private var heap: [Arrival] = []
    private var number: UInt64 = 0
    private var burstUntil: UInt64 = 0
    private(set) var carried = 0, lost = 0, corrupted = 0

    init(faults: NetworkFaults, random: SplitMix) {
        self.faults = faults
        self.random = random
    }

    var nextArrival: UInt64? { heap.first?.time }
    var count: Int { heap.count }

    /// - Parameter limit: bytes of the longest frame, padding included.
    mutating func carry(_ frame: [UInt8], limit: Int, now: UInt64) {
        carried += 1
        if random.happens(faults.bursts) { burstUntil = now + random.time(10_000...2_000_000) }
        if now < burstUntil || random.happens(faults.loss) {
            lost += 1
            return
        }
        let copies = random.happens(faults.duplication) ? random.number(2...3) : 1
        for _ in 0..<copies {
            var time = now + random.time(faults.delay)
            if random.happens(faults.detours) { time += random.time(faults.detour) }
            push(Arrival(time: time, number: number, frame: damaged(frame, limit: limit)))
            number += 1
        }
    }

    /// Flips bits within fifteen in a row, which a sum of 16-bit words always shows, and adds bytes behind the datagram.
    private mutating func damaged(_ original: [UInt8], limit: Int) -> [UInt8] {
        var frame = original
        if random.happens(faults.padding), frame.count < limit {
            for _ in 0..<random.number(1...min(16, limit - frame.count)) { frame.append(UInt8(truncatingIfNeeded: random.next())) }
        }
        guard random.happens(faults.corruption) else { return frame }
        corrupted += 1
        let first = random.below(original.count * 8)
        for bit in first..<min(first + random.number(1...15), original.count * 8) where bit == first || random.percent(50) {
            if !faults.corruptsSourceAddress, (6..<12).contains(bit / 8) { continue }
            frame[bit / 8] ^= 1 << UInt8(bit % 8)
        }
        return frame
    }

    mutating func takeArrival(until now: UInt64) -> [UInt8]? {
        guard let first = heap.first, first.time <= now else { return nil }
        pop()
        return first.frame
    }

    // A binary heap.

    private mutating func push(_ arrival: Arrival) {
        heap.append(arrival)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].isBefore(heap[parent]) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func pop() {
        let last = heap.removeLast()
        guard !heap.isEmpty else { return }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].isBefore(heap[least]) { least = child }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
