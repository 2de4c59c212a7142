import Testing

@testable import VerbsProvider

@Suite struct QueuePairTableTests {
    @Test func numbersHave24BitsAreNeverManagementsAndComeBackLate() {
        var table = QueuePairTable()
        var seen: Set<UInt32> = []
        for _ in 0..<3 * QueuePairTable.capacity {
            guard let number = table.takeNumber() else {
                Issue.record("no number is left")
                return
            }
            holds(number > 1 && number >> 24 == 0)
            holds(seen.insert(number).inserted)
            table.remove(number)
        }
    }

    @Test func thereIsALimitAndAWildNumberFindsNobody() {
        var table = QueuePairTable()
        for _ in 0..<QueuePairTable.capacity { holds(table.takeNumber() != nil) }
        holds(table.takeNumber() == nil && table.count == QueuePairTable.capacity)
        for number in [0, 1, 4095, 0xff_ffff, .max] as [UInt32] { holds(table[number] == nil) }
        table.remove(0xffff_ffff)
        holds(table.count == QueuePairTable.capacity)
    }
}
