import NicRegisters
import Testing

@Suite struct E1000ERegistersTests {
    /// Every element of every row, as (name, offset).
    private var elements: [(name: String, offset: Int)] {
        E1000E.allRows.flatMap { row in
            (0..<row.count).map { ("\(row.name)[\($0)]", row.offset + $0 * row.stride) }
        }
    }

    @Test func noTwoRegistersShareAnOffset() {
        let byOffset = Dictionary(grouping: elements, by: \.offset)
        for (offset, names) in byOffset where names.count > 1 {
            Issue.record("0x\(String(offset, radix: 16)): \(names.map(\.name))")
        }
        #expect(byOffset.count == elements.count)
    }

    @Test func everyRegisterIsAlignedAndInsideTheBAR() {
        for (name, offset) in elements {
            #expect(offset.isMultiple(of: 4), "\(name)")
            #expect(offset >= 0 && offset + 4 <= E1000E.PCI.registerByteCount, "\(name)")
        }
    }

    @Test func everyNameStandsOnce() {
        #expect(Set(E1000E.allRows.map(\.name)).count == E1000E.allRows.count)
    }

    @Test func statisticsAreClearedByReadsAndNeverDumped() {
        let rows = E1000E.allRows.filter { (0x4000..<0x4128).contains($0.offset) }
        #expect(rows.count == 67)
        for row in rows { #expect(row.mode == "RC" && !row.isSafeToRead, "\(row.name)") }
    }

    @Test(arguments: ["ICR", "SWSM", "IMC", "ICS", "GPRC"])
    func rowsWithASideEffectOnReadAreNotSafeToRead(name: String) throws {
        let row = try #require(E1000E.allRows.first { $0.name == name })
        #expect(!row.isSafeToRead)
    }

    /// Offsets written by hand from Linux' regs.h, so that a slip in the table shows.
    @Test(arguments: [
        ("CTRL", 0x0), ("STATUS", 0x8), ("EERD", 0x14), ("MDIC", 0x20), ("ICR", 0xc0), ("IMC", 0xd8), ("IVAR", 0xe4),
        ("RCTL", 0x100), ("TCTL", 0x400), ("TIPG", 0x410), ("PBA", 0x1000), ("RDBAL", 0x2800), ("RDT", 0x2818),
        ("RXDCTL", 0x2828), ("TDBAL", 0x3800), ("TDT", 0x3818), ("TXDCTL", 0x3828), ("TARC", 0x3840),
        ("CRCERRS", 0x4000), ("TSCTFC", 0x40fc), ("RXCSUM", 0x5000), ("RFCTL", 0x5008), ("MTA", 0x5200),
        ("RAL", 0x5400), ("VFTA", 0x5600), ("MRQC", 0x5818), ("GCR", 0x5b00), ("RETA", 0x5c00), ("RSSRK", 0x5c80),
    ])
    func offsetIsThePublicHeaders(name: String, offset: Int) throws {
        let row = try #require(E1000E.allRows.first { $0.name == name })
        #expect(row.offset == offset)
    }

    @Test func queueOneIsOnePageFurther() {
        #expect(E1000E.rdt[1].offset == 0x2918)
        #expect(E1000E.tdt[1].offset == 0x3918)
        #expect(E1000E.rah[15].offset == 0x547c)
        #expect(E1000E.eitr[4].offset == 0xf8)
    }

    @Test func tailsAreInTheirOwnPagesApartFromInterruptRegisters() {
        let tails = [E1000E.rdt[0].offset, E1000E.rdt[1].offset, E1000E.tdt[0].offset, E1000E.tdt[1].offset]
        #expect(Set(tails.map { $0 / 4096 }) == [2, 3])
        #expect(E1000E.icr.offset / 4096 == 0)
    }

    @Test func valuesAfterResetAreTheSources() throws {
        let reset = Dictionary(uniqueKeysWithValues: E1000E.allRows.map { ($0.name, $0.resetValue) })
        #expect(reset["PBA"] == 0x0014_0014)
        #expect(reset["TIPG"] == 0x0060_2008)
        #expect(reset["RXDCTL"] == 0x0001_0000)
        #expect(reset["RXCSUM"] == 0x0000_0300)
        #expect(reset["RCTL"] == 0 && reset["TCTL"] == 0)
        #expect(E1000E.Control(bits: try #require(reset["CTRL"])).contains([.setLinkUp, .fullDuplex]))
        #expect(E1000E.InterPacketGap(bits: try #require(reset["TIPG"])).receive2 == 6)
    }
}
