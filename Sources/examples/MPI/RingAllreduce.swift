/// A sum over all ranks, made by hand around a ring: each rank talks to its two neighbours alone, and sends 2 (n-1)/n of the array,
/// whatever the number of ranks n is.
public struct RingAllreduce {
    private let ranks: Communicator
    private let count: Int
    /// One block, as it comes from the left.
    private var part: [Double]

    public init(count: Int, on ranks: Communicator) {
        self.ranks = ranks
        self.count = count
        part = [Double](repeating: 0, count: count / ranks.count + 1)
    }

    /// A block a rank; the first ones are a number longer if it does not go evenly.
    private func block(_ index: Int) -> Range<Int> {
        let index = (index % ranks.count + ranks.count) % ranks.count
        let (base, longer) = count.quotientAndRemainder(dividingBy: ranks.count)
        let start = base * index + min(index, longer)
        return start..<start + base + (index < longer ? 1 : 0)
    }

    /// Replaces each number by the sum of all ranks' numbers in its place.
    public mutating func sum(_ values: inout [Double]) {
        precondition(values.count == count)
        let (rank, n) = (ranks.rank, ranks.count)
        let (left, right) = ((rank + n - 1) % n, (rank + 1) % n)
        // Sums travel: after n-1 steps each rank has the whole sum of one block.
        for step in 0..<n - 1 {
            let (mine, next) = (block(rank - step), block(rank - step - 1))
            ranks.exchange(sending: mine, of: values, to: right, receiving: 0..<next.count, of: &part, from: left)
            for index in next.indices { values[index] += part[index - next.lowerBound] }
        }
        // Then the sums go around.
        for step in 0..<n - 1 {
            ranks.exchange(sending: block(rank + 1 - step), to: right, receiving: block(rank - step), of: &values, from: left)
        }
    }
}
