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
            #expect(number > 1 && number >> 24 == 0)
            #expect(seen.insert(number).inserted)
            table.remove(number)
        }
    }

    @Test func thereIsALimitAndAWildNumberFindsNobody() {
        var table = QueuePairTable()
        for _ in 0..<QueuePairTable.capacity { #expect(table.takeNumber() != nil) }
        #expect(table.takeNumber() == nil && table.count == QueuePairTable.capacity)
        for number in [0, 1, 4095, 0xff_ffff, .max] as [UInt32] { #expect(table[number] == nil) }
        table.remove(0xffff_ffff)
        #expect(table.count == QueuePairTable.capacity)
    }
}
