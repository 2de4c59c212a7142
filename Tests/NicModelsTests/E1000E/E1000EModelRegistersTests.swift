import DeviceMemory
import DeviceModel
import NicModels
import NicRegisters
import Testing

@Suite struct E1000EModelRegistersTests {
    @Test func resetValuesAreTheTables() throws {
        let bench = try Bench()
        let computed: Set<String> = ["STATUS", "RAL", "RAH"]
        for row in E1000E.allRows where row.isSafeToRead && !computed.contains(row.name) {
            for index in 0..<row.count {
                let value = bench.model.readRegion(0, at: UInt64(row.offset + index * row.stride), byteCount: 4)
                #expect(value == UInt64(row.resetValue), "\(row.name)")
            }
        }
    }

    @Test func receiveAddressZeroIsTheMACAfterReset() throws {
        let bench = try Bench()
        bench.write(0xffff_ffff, to: E1000E.ral[0])
        bench.write(E1000E.Control.reset, to: E1000E.ctrl)
        #expect(bench.read(E1000E.ral[0]) == 0x0000_0002)
        #expect(bench.read(E1000E.rah[0]).address == 0x0100)
        #expect(bench.read(E1000E.rah[0]).contains(.valid))
        #expect(!bench.read(E1000E.ctrl).contains(.reset))
    }

    @Test func nvmHoldsTheMACAndItsChecksumIsRight() throws {
        let bench = try Bench()
        var words: [UInt16] = []
        for word in 0..<E1000E.NVM.wordCount {
            bench.write(E1000E.NVMRead.read(word: word), to: E1000E.eerd)
            let answer = bench.read(E1000E.eerd)
            #expect(answer.contains(.done))
            words.append(UInt16(answer.data))
        }
        #expect(Array(words[0..<3]) == [0x0002, 0x0000, 0x0100])
        #expect(words.reduce(0, &+) == E1000E.NVM.sum)
    }

    @Test func nvmWordThatIsNotThereNeverGetsDone() throws {
        let bench = try Bench()
        bench.write(E1000E.NVMRead.read(word: 0x3fff), to: E1000E.eerd)
        #expect(!bench.read(E1000E.eerd).contains(.done))
    }

    @Test func phyTellsItsIdentifierAndAWrongAddressIsAnError() throws {
        let bench = try Bench()
        bench.write(E1000E.MDIControl.read(E1000E.PHY.identifier1), to: E1000E.mdic)
        #expect(bench.read(E1000E.mdic).contains(.ready))
        #expect(bench.read(E1000E.mdic).data == E1000E.PHY.identifier >> 16)
        var wrong = E1000E.MDIControl.read(E1000E.PHY.identifier1)
        wrong.phyAddress = 7
        bench.write(wrong, to: E1000E.mdic)
        #expect(bench.read(E1000E.mdic).contains(.error))
    }

    @Test func phyLinkLatchesLow() throws {
        let bench = try Bench()
        func status() -> E1000E.PHYStatus {
            bench.write(E1000E.MDIControl.read(E1000E.PHY.status), to: E1000E.mdic)
            return E1000E.PHYStatus(rawValue: UInt16(bench.read(E1000E.mdic).data))
        }
        #expect(!status().contains(.linkUp))
        #expect(status().contains(.linkUp))
        bench.wire.disconnect()
        #expect(!status().contains(.linkUp))
    }

    @Test func statusFollowsWireAndSLU() throws {
        let bench = try Bench()
        #expect(bench.read(E1000E.status).contains([.linkUp, .fullDuplex, .gioMasterEnable]))
        #expect(bench.read(E1000E.status).speed == 2)
        bench.write(bench.read(E1000E.ctrl).subtracting(.setLinkUp), to: E1000E.ctrl)
        #expect(!bench.read(E1000E.status).contains(.linkUp))
        bench.write(bench.read(E1000E.ctrl).union(.setLinkUp), to: E1000E.ctrl)
        #expect(bench.read(E1000E.status).contains(.linkUp))
        bench.wire.disconnect()
        #expect(!bench.read(E1000E.status).contains(.linkUp))
        #expect(bench.read(E1000E.icr).contains(.linkChange))
    }

    @Test func linkLossIsNoticedByStepsAlone() throws {
        let bench = try Bench()
        _ = bench.read(E1000E.icr)
        bench.wire.disconnect()
        bench.step(64)
        #expect(bench.read(E1000E.icr).contains(.linkChange))
    }

    @Test func aReadTakesTheSoftwareSemaphore() throws {
        let bench = try Bench()
        #expect(!bench.read(E1000E.swsm).contains(.semaphore))
        #expect(bench.read(E1000E.swsm).contains(.semaphore))
        bench.write(E1000E.SoftwareSemaphore(), to: E1000E.swsm)
        #expect(!bench.read(E1000E.swsm).contains(.semaphore))
    }

    @Test func ringRegistersAreTheMappedMemory() throws {
        let bench = try Bench()
        bench.write(0x1234_5678, to: E1000E.tdbal[0])
        #expect(bench.mapped.load32(at: E1000E.tdbal[0].offset - 0x2000) == 0x1234_5678)
        bench.mapped.store32(9, at: E1000E.rdt[0].offset - 0x2000)
        #expect(bench.read(E1000E.rdt[0]) == 9)
    }

    @Test func ioPortsReachRegisters() throws {
        let bench = try Bench()
        bench.model.writeRegion(2, at: 0, UInt64(E1000E.vet.offset), byteCount: 4)
        #expect(bench.model.readRegion(2, at: 4, byteCount: 4) == 0x8100)
        bench.model.writeRegion(2, at: 4, 0x9100, byteCount: 4)
        #expect(bench.read(E1000E.vet) == 0x9100)
        bench.model.writeRegion(2, at: 0, 0xffff_fffc, byteCount: 4)
        #expect(bench.model.readRegion(2, at: 4, byteCount: 4) == 0)
    }

    @Test func noAccessOfAnyPlaceOrSizeTraps() throws {
        let bench = try Bench()
        for bar in -1...6 {
            for offset: UInt64 in [0, 1, 3, 0x1fffe, 0x1ffff, 0x20000, 0x1fff_fffc, .max, .max - 3] {
                for size in [-1, 0, 1, 2, 3, 4, 8, 64] {
                    _ = bench.model.readRegion(bar, at: offset, byteCount: size)
                    bench.model.writeRegion(bar, at: offset, .max, byteCount: size)
                }
            }
        }
        bench.step(4)
        #expect(bench.model.readRegion(0, at: .max, byteCount: 4) == 0)
    }

    @Test func everyRegisterAtAllOnesLeavesAModelThatStepsAndResets() throws {
        let bench = try Bench()
        for offset in stride(from: UInt64(4), to: 0x20000, by: 4) { bench.model.writeRegion(0, at: offset, 0xffff_ffff, byteCount: 4) }
        try bench.arrive(frame())
        bench.step(100)
        bench.write(E1000E.Control.reset, to: E1000E.ctrl)
        #expect(bench.read(E1000E.status).contains(.linkUp))
    }
}
