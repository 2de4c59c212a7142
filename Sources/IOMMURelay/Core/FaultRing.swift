/// Faults that no driver was told of yet. When it is full the new ones are dropped: the first ones tell why.
struct FaultRing {
    private var faults: [IOMMUFault] = []
    private var first = 0
    private let limit: Int
    private(set) var dropped: UInt64 = 0

    init(limit: Int) { self.limit = limit }

    var count: Int { faults.count - first }

    mutating func append(_ fault: IOMMUFault) {
        guard count < limit else { return dropped &+= 1 }
        faults.append(fault)
    }

    mutating func takeFirst() -> IOMMUFault? {
        guard first < faults.count else { return nil }
        defer {
            first += 1
            if first >= limit {
                faults.removeFirst(first)
                first = 0
            }
        }
        return faults[first]
    }

    mutating func removeAll() {
        faults = []
        first = 0
    }
}
