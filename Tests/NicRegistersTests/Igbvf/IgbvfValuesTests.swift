import NicRegisters
import Testing

@Suite struct IgbvfValuesTests {
    static let tables: [FlagTable] = [
        FlagTable(Igbvf.Control.self), FlagTable(Igbvf.Status.self), FlagTable(Igbvf.SplitControl.self), FlagTable(Igbvf.QueueControl.self),
        FlagTable(Igbvf.TransmitBusControl.self), FlagTable(Igbvf.VectorSet.self), FlagTable(Igbvf.InterruptThrottle.self),
        FlagTable(Igbvf.VectorAllocation.self), FlagTable(Igbvf.Mailbox.self),
    ]

    @Test(arguments: tables)
    func flagsAndFieldsAreDisjointAndNamedOnce(table: FlagTable) {
        #expect(!table.parts.isEmpty)
        #expect(Set(table.parts.map(\.name)).count == table.parts.count)
        var seen: UInt32 = 0
        for (name, mask) in table.parts {
            #expect(mask != 0 && seen & mask == 0, "\(name)")
            seen |= mask
        }
    }

    @Test func masksAreThePublicHeaders() {
        #expect(Igbvf.SplitControl.bufferSizeField.mask == 0x0000_007f)
        #expect(Igbvf.SplitControl.descriptorTypeField.mask == 0x0e00_0000)
        #expect(Igbvf.QueueControl.enable.rawValue == 0x0200_0000)
        #expect(Igbvf.Control.reset.rawValue == 0x0400_0000)
        #expect(Igbvf.Mailbox.clearedByRead.rawValue == 0xb0)
        #expect(Igbvf.TransmitBusControl.relaxedWriteBack.rawValue == 1 << 11)
    }

    @Test func oneBufferDescriptorsAreTheHeadersValue() {
        var split = Igbvf.SplitControl()
        split.descriptorType = 1
        split.bufferSize = 2
        #expect(split.rawValue == 0x0200_0002)
    }

    @Test func vectorsOfAFunctionHaveABitEachAndOthersNone() {
        #expect((0..<3).map { Igbvf.VectorSet.vector($0).rawValue } == [1, 2, 4])
        for number in [-1, 3, 64, .max] { #expect(Igbvf.VectorSet.vector(number).isEmpty) }
    }

    @Test func allocationIsAByteAQueue() {
        var vectors = Igbvf.VectorAllocation()
        vectors.setReceive(queue: 0, vector: 1)
        #expect(vectors.rawValue == 0x81)
        vectors.setReceive(queue: 1, vector: 2)
        #expect(vectors.rawValue == 0x0082_0081)
        #expect(vectors.receiveVector(queue: 0) == 1 && vectors.receiveVector(queue: 1) == 2)
        #expect(vectors.transmitVector(queue: 0) == nil)
        #expect(Igbvf.VectorAllocation(rawValue: 0x8000).transmitVector(queue: 0) == 0)
    }

    @Test(arguments: [(0, 0), (3, 0), (196, 196), (199, 196), (40_000, 0x7ffc)] as [(UInt32, UInt32)])
    func throttleGoesInStepsOfFourAndStopsAtItsEnd(units: UInt32, bits: UInt32) {
        #expect(Igbvf.InterruptThrottle(units: units).rawValue == bits)
    }
}
