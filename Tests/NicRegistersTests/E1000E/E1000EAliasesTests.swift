import NicRegisters
import Testing

@Suite struct E1000EAliasesTests {
    @Test(arguments: [
        (0x0004, 0x0000), (0x0040, 0x5400), (0x00bc, 0x547c), (0x0128, 0x2818), (0x0438, 0x3818), (0x07fc, 0x57fc),
        (0x0114, 0x2804),
    ])
    func aliasMeansItsRegister(alias: Int, offset: Int) {
        #expect(E1000E.canonicalOffset(alias) == offset)
    }

    @Test(arguments: [0x0000, 0x00c0, 0x0800, 0x1ffff, -1, Int.min, Int.max])
    func otherOffsetStays(offset: Int) {
        #expect(E1000E.canonicalOffset(offset) == offset)
    }

    @Test func aliasesHideNoRowAndMeanRows() {
        var rows: Set<Int> = []
        for row in E1000E.allRows { for index in 0..<row.count { rows.insert(row.offset + index * row.stride) } }
        for run in E1000E.aliases {
            for distance in stride(from: 0, to: run.byteCount, by: 4) {
                #expect(!rows.contains(run.offset + distance))
                #expect(rows.contains(run.target + distance))
            }
        }
    }
}
