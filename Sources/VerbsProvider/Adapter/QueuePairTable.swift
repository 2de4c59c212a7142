/// Queue pairs by their numbers: 24 bits, a place and above it how often numbers were given away, so that a number comes back late
/// and a message for its last owner finds nobody. Numbers 0 and 1 are those of management (InfiniBand's SMI and GSI): never given away.
@safe struct QueuePairTable: ~Copyable {
    static let capacity = 4096
    private var places: [VerbsObject<VerbsQueuePair>?]
    private var numbers: [UInt32]
    private var turn: UInt32
    private var nextPlace = 0
    private(set) var count = 0

    init() {
        places = Array(repeating: nil, count: Self.capacity)
        numbers = Array(repeating: 0, count: Self.capacity)
        turn = .random(in: 1..<4096)
    }

    /// A number for a queue pair that is about to be made. nil: there are too many.
    mutating func takeNumber() -> UInt32? {
        for _ in 0..<Self.capacity {
            let place = nextPlace
            nextPlace = (place + 1) % Self.capacity
            if nextPlace == 0 { turn = turn == 4095 ? 1 : turn + 1 }
            if numbers[place] == 0 {
                numbers[place] = turn << 12 | UInt32(place)
                count += 1
                return numbers[place]
            }
        }
        return nil
    }

    mutating func set(_ queuePair: VerbsObject<VerbsQueuePair>, number: UInt32) { places[Int(number & 4095)] = queuePair }

    mutating func remove(_ number: UInt32) {
        let place = Int(number & 4095)
        guard numbers[place] == number else { return }
        places[place] = nil
        numbers[place] = 0
        count -= 1
    }

    /// Safe for any number.
    @inline(__always) subscript(number: UInt32) -> VerbsObject<VerbsQueuePair>? {
        let place = Int(number & 4095)
        return numbers[place] == number && number != 0 ? places[place] : nil
    }

    func forEach(_ body: (VerbsObject<VerbsQueuePair>) -> Void) {
        for place in places { if let place { body(place) } }
    }
}
