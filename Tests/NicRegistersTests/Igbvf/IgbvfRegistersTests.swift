import NicRegisters
import Testing

@Suite struct IgbvfRegistersTests {
    /// Every element of every row, as (name, offset).
    private var elements: [(name: String, offset: Int)] {
        Igbvf.allRows.flatMap { row in (0..<row.count).map { ("\(row.name)[\($0)]", row.offset + $0 * row.stride) } }
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
            #expect(offset >= 0 && offset + 4 <= Igbvf.PCI.registerByteCount, "\(name)")
        }
    }

    @Test func everyNameStandsOnceAndRowsAreInOrder() {
        #expect(Set(Igbvf.allRows.map(\.name)).count == Igbvf.allRows.count)
        #expect(Igbvf.allRows.map(\.offset) == Igbvf.allRows.map(\.offset).sorted())
    }

    /// Offsets written by hand from Linux' igbvf/regs.h, so that a slip in the table shows.
    @Test(arguments: [
        ("CTRL", 0x0), ("STATUS", 0x8), ("VMBMEM", 0x800), ("V2PMAILBOX", 0xc40), ("VFGPRC", 0xf10), ("VFGPTC", 0xf14),
        ("VFGORC", 0xf18), ("VFGOTC", 0xf34), ("VFMPRC", 0xf3c), ("EICS", 0x1520), ("EIMS", 0x1524), ("EIMC", 0x1528),
        ("EIAC", 0x152c), ("EIAM", 0x1530), ("EICR", 0x1580), ("EITR", 0x1680), ("VTIVAR", 0x1700), ("VTIVAR_MISC", 0x1740),
        ("RDBAL", 0x2800), ("SRRCTL", 0x280c), ("RDT", 0x2818), ("RXDCTL", 0x2828), ("TDBAL", 0x3800), ("TXCTRL", 0x3814),
        ("TDT", 0x3818), ("TXDCTL", 0x3828),
    ])
    func offsetIsThePublicHeaders(name: String, offset: Int) throws {
        #expect(try #require(Igbvf.allRows.first { $0.name == name }).offset == offset)
    }

    @Test(arguments: ["V2PMAILBOX", "VMBMEM", "EICR", "EICS", "EIMC"])
    func rowsWithASideEffectOnReadAreNotSafeToRead(name: String) throws {
        #expect(!(try #require(Igbvf.allRows.first { $0.name == name }).isSafeToRead))
    }

    @Test func tailsAreInPagesApartFromMailboxAndInterrupts() {
        #expect(Set([Igbvf.rdt[0].offset, Igbvf.rdt[1].offset, Igbvf.tdt[0].offset, Igbvf.tdt[1].offset].map { $0 / 4096 }) == [2, 3])
        #expect(Set([Igbvf.v2pmailbox.offset, Igbvf.vtivarMisc.offset].map { $0 / 4096 }) == [0, 1])
    }

    /// What lets both families use one receive queue: the rings' registers and the descriptors' words are the same.
    @Test func ringRegistersAreThoseOfThe82574L() {
        for queue in 0..<2 {
            #expect(Igbvf.rdt[queue].offset == E1000E.rdt[queue].offset && Igbvf.tdt[queue].offset == E1000E.tdt[queue].offset)
            #expect(Igbvf.rdbal[queue].offset == E1000E.rdbal[queue].offset && Igbvf.tdlen[queue].offset == E1000E.tdlen[queue].offset)
        }
    }

    /// igbvf/defines.h E1000_RXD_STAT_*, E1000_RXDEXT_STATERR_* and E1000_RXDEXT_ERR_FRAME_ERR_MASK, written by hand.
    @Test func receivedDescriptorsHaveTheBitsOfTheVirtualFunctionsDriver() {
        let status = Igbvf.RxStatus.self
        #expect(status.done.rawValue == 0x1 && status.endOfPacket.rawValue == 0x2 && status.ignoreChecksum.rawValue == 0x4)
        #expect(status.vlanPacket.rawValue == 0x8 && status.udpChecksumChecked.rawValue == 0x10)
        #expect(status.tcpChecksumChecked.rawValue == 0x20 && status.ipChecksumChecked.rawValue == 0x40)
        #expect(status.tcpUDPChecksumError.rawValue == 0x2000_0000 && status.ipChecksumError.rawValue == 0x4000_0000)
        #expect(status.frameErrors.rawValue == 0x0100_0000 | 0x0200_0000 | 0x0400_0000 | 0x1000_0000 | 0x8000_0000)
    }
}
