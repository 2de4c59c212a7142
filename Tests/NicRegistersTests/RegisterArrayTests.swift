import NicRegisters
import Testing

@Suite struct RegisterArrayTests {
    let array = RegisterArray<UInt32, ReadWrite>(0x2800, count: 2, stride: 0x100)

    @Test func elementsAreAStrideApart() {
        #expect(array[0].offset == 0x2800)
        #expect(array[1].offset == 0x2900)
    }

    @Test(arguments: [(0x2800, 0), (0x2900, 1)])
    func offsetOfAnElementGivesItsIndex(offset: Int, index: Int) {
        #expect(array.index(atOffset: offset) == index)
    }

    @Test(arguments: [0x27fc, 0x2804, 0x2a00, -1, Int.min, Int.max])
    func offsetOfNoElementGivesNil(offset: Int) {
        #expect(array.index(atOffset: offset) == nil)
    }
}
