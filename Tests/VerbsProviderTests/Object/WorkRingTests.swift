import Testing

@testable import VerbsProvider

@Suite struct WorkRingTests {
    @Test func positionsGoOnAndPlacesComeBack() {
        var ring = WorkRing<Int>(capacity: 3)
        #expect(ring.capacity == 4 && ring.isEmpty)
        for value in 0..<10 {
            ring.append(value)
            #expect(ring[UInt32(value)] == value && ring.place(of: UInt32(value)) == value % 4)
            ring.removeFirst()
        }
        #expect(ring.isEmpty && !ring.hasWaiting && !ring.contains(9) && !ring.contains(10))
    }

    @Test func whatWasBegunIsInFrontOfWhatWaits() {
        var ring = WorkRing<Int>(capacity: 4)
        ring.append(1)
        ring.append(2)
        ring.next &+= 1
        #expect(ring.hasWaiting && ring[ring.next] == 2)
        ring.removeFirst()
        #expect(ring.next == ring.head)
        ring.removeFirst()
        #expect(ring.next == ring.tail && ring.isEmpty)
    }

    @Test func completionsBeyondTheRingAreAnOverrun() {
        var entries = CompletionEntries(capacity: 2)
        for id in 0..<2 as Range<UInt64> { entries.append(WorkCompletion(wrID: id, status: .success, opcode: .send, queuePair: 9)) }
        #expect(entries.hasOverrun == false)
        entries.append(WorkCompletion(wrID: 2, status: .success, opcode: .send, queuePair: 9))
        #expect(entries.hasOverrun && entries.removeFirst()?.wrID == 0)
        #expect(!entries.resize(capacity: 0) && entries.resize(capacity: 8) && entries.capacity == 8)
        #expect(entries.removeFirst()?.wrID == 1 && entries.removeFirst() == nil)
    }
}
