import NicModels
import NicRegisters
import Testing

/// The PF's side of the mailbox.
@Suite struct IgbvfPhysicalFunctionTests {
    private func header(_ kind: Igbvf.MessageKind, _ info: UInt32 = 0) -> UInt32 { Igbvf.MessageHeader(kind, info: info).bits }

    @Test func aResetIsAnsweredWithTheAddress() throws {
        let bench = try IgbvfBench()
        let answer = try #require(bench.ask([header(.reset)]))
        #expect(answer[0] == 0x8000_0001)
        #expect(Igbvf.address(low: answer[1], high: answer[2]) == IgbvfBench.address)
    }

    @Test func withoutAnAddressAResetIsRefusedAndTheFunctionMaySetOne() throws {
        let bench = try IgbvfBench(address: 0)
        #expect(bench.ask([header(.reset)]) == [0x4000_0001, 0, 0])
        #expect(bench.ask(Igbvf.addressMessage(.own, 0x0200_0000_0009))?[0] == 0xa000_0002)
    }

    @Test func anAddressOfTheAdministratorStays() throws {
        let bench = try IgbvfBench(isTrusting: false)
        bench.ask([header(.reset)])
        #expect(bench.ask(Igbvf.addressMessage(.own, 0x0200_0000_0009))?[0] == 0x6000_0002)
        #expect(bench.ask(Igbvf.addressMessage(.addFurther, 0x0200_0000_0009))?[0] == 0x6002_0002)
    }

    @Test(arguments: [0, 0x0100_5e00_0001] as [UInt64]) func anAddressThatNobodyCanHaveIsRefused(address: UInt64) throws {
        let bench = try IgbvfBench(address: 0)
        bench.ask([header(.reset)])
        #expect(bench.ask(Igbvf.addressMessage(.own, address))?[0] == 0x6000_0002)
        #expect(bench.ask(Igbvf.addressMessage(.clearFurther, 0))?[0] == 0x6001_0002)
    }

    @Test func beforeAHandshakeNothingElseIsTaken() throws {
        let bench = try IgbvfBench()
        #expect(bench.ask([header(.setReceiveLimit), 9022])?[0] == 0x4000_0005)
        bench.ask([header(.reset)])
        #expect(bench.ask([header(.setReceiveLimit), 9022])?[0] == 0xa000_0005)
        bench.write(Igbvf.Control.reset, to: Igbvf.ctrl)
        #expect(bench.ask([header(.setReceiveLimit), 9022])?[0] == 0x4000_0005)
    }

    @Test(arguments: [0x7, 0x1234, 0x100, 0x2000_0001, 0x1_0006] as [UInt32]) func unknownMessagesAreRefused(word: UInt32) throws {
        let bench = try IgbvfBench()
        bench.ask([header(.reset)])
        let answer = try #require(bench.ask([word]))
        #expect(Igbvf.MessageHeader(bits: answer[0]).isRefused)
    }

    @Test(arguments: [0x8000_0001, 0x4000_0005, UInt32.max]) func answersAreNoRequests(word: UInt32) throws {
        let bench = try IgbvfBench()
        bench.ask([header(.reset)])
        #expect(bench.ask([word]) == nil)
    }

    @Test func noMoreFurtherAddressesThanThereIsRoomFor() throws {
        let bench = try IgbvfBench()
        bench.ask([header(.reset)])
        for index in 0..<UInt64(Igbvf.furtherUnicastCount) {
            #expect(bench.ask(Igbvf.addressMessage(.addFurther, 0x0200_0000_0100 + index))?[0] == 0xa002_0002)
        }
        #expect(bench.ask(Igbvf.addressMessage(.addFurther, 0x0200_0000_0200))?[0] == 0x6002_0002)
        #expect(bench.ask(Igbvf.addressMessage(.clearFurther, IgbvfBench.address))?[0] == 0xa001_0002)
        #expect(bench.ask(Igbvf.addressMessage(.addFurther, 0x0200_0000_0200))?[0] == 0xa002_0002)
    }

    @Test func bitsThatTheHeaderCallsReadToClearAre() throws {
        let bench = try IgbvfBench()
        bench.model.resetPhysicalFunction()
        #expect(bench.read(Igbvf.v2pmailbox) == .resetInProgress && bench.read(Igbvf.v2pmailbox) == .resetInProgress)
        bench.model.returnPhysicalFunction()
        #expect(bench.read(Igbvf.v2pmailbox) == [.resetDone, .physicalWrote] && bench.read(Igbvf.v2pmailbox) == [])
        #expect(bench.read(Igbvf.vmbmem[0]) == 0x100)
    }

    @Test func aPFInResetReadsNoMailAndMovesNoFrames() throws {
        let bench = try IgbvfBench()
        bench.start()
        bench.model.resetPhysicalFunction()
        #expect(bench.ask([header(.reset)]) == nil)
        #expect(!bench.read(Igbvf.rxdctl[0]).contains(.enable) && bench.read(Igbvf.rdlen[0]) == 0)
        try bench.arrive(frame())
        bench.step()
        #expect(bench.counters.framesWhileOff == 1)
        bench.model.returnPhysicalFunction()
        bench.start()
        try bench.arrive(frame())
        bench.step()
        #expect(bench.receivedBytes(0) == frame())
    }

    @Test func faultsOfThePF() throws {
        let bench = try IgbvfBench()
        bench.model.faults.physicalIsSilent = true
        #expect(bench.ask([header(.reset)]) == nil)
        bench.model.faults = IgbvfFaultPlan()
        bench.model.faults.physicalNeverAnswers = true
        bench.write(Igbvf.Mailbox.request, to: Igbvf.v2pmailbox)
        #expect(bench.read(Igbvf.v2pmailbox) == .physicalRead)
        bench.model.faults = IgbvfFaultPlan()
        bench.model.faults.refusals = 1
        #expect(bench.ask([header(.reset)])?[0] == 0x8000_0001)
        #expect(bench.ask([header(.setReceiveLimit), 1522])?[0] == 0x6000_0005)
        #expect(bench.ask([header(.setReceiveLimit), 1522])?[0] == 0xa000_0005)
    }
}
