import DeviceModel
import Glibc
import LinuxIO
import NicModels
import NicRegisters
import Testing

@Suite struct E1000EModelInterruptTests {
    private func connect(_ bench: Bench, _ kind: InterruptLines.Kind, _ vector: Int) throws -> Int32 {
        let event = try EventFD()
        let number = dup(event.descriptor.number)
        try #require(number >= 0)
        let isSet = bench.environment.interrupts.set(kind, vector: vector, event: event)
        try #require(isSet)
        return number
    }

    /// Signals since the last look.
    private func signals(_ number: Int32) -> UInt64 {
        var value: UInt64 = 0
        // SAFETY: an eventfd gives 8 bytes into a local of 8.
        let count = unsafe Glibc.read(number, &value, 8)
        return count == 8 ? value : 0
    }

    private func vectors(receive: UInt32, transmit: UInt32, other: UInt32) -> E1000E.InterruptVectors {
        var vectors = E1000E.InterruptVectors()
        vectors.receiveQueue0 = E1000E.InterruptVectors.entry(vector: receive)
        vectors.transmitQueue0 = E1000E.InterruptVectors.entry(vector: transmit)
        vectors.other = E1000E.InterruptVectors.entry(vector: other)
        return vectors
    }

    @Test func msixCausesGoToTheirVectorsAndClearThemselves() throws {
        let bench = try Bench()
        let lines = try (0..<3).map { try connect(bench, .msix, $0) }
        defer { for line in lines { close(line) } }
        bench.write(vectors(receive: 0, transmit: 1, other: 2), to: E1000E.ivar)
        bench.write([.receiveQueue0, .transmitQueue0], to: E1000E.eiac)
        bench.write([.receiveQueue0, .transmitQueue0], to: E1000E.ims)
        bench.startReceive()
        try bench.arrive(frame())
        bench.step()
        #expect(lines.map(signals) == [1, 0, 0])
        #expect(!bench.read(E1000E.icr).contains(.receiveQueue0))
        // The message masked its cause: quiet until the driver enables it again.
        try bench.arrive(frame())
        bench.step()
        #expect(lines.map(signals) == [0, 0, 0])
        bench.write(.receiveQueue0, to: E1000E.ims)
        #expect(lines.map(signals) == [1, 0, 0])
        bench.write(bench.read(E1000E.ims).union([.other, .linkChange]), to: E1000E.ims)
        bench.write(.linkChange, to: E1000E.ics)
        #expect(lines.map(signals) == [0, 0, 1])
    }

    /// Linux's handler of the vector for other causes reads ICR, writes nothing to it, and enables them again.
    @Test func withMSIXAReadClearsCausesIfOneOfThemIsEnabled() throws {
        let bench = try Bench()
        let line = try connect(bench, .msix, 2)
        defer { close(line) }
        bench.write(vectors(receive: 0, transmit: 1, other: 2), to: E1000E.ivar)
        bench.write(.other, to: E1000E.eiac)
        bench.write([.other, .linkChange], to: E1000E.ims)
        bench.write(.linkChange, to: E1000E.ics)
        #expect(signals(line) == 1)
        #expect(bench.read(E1000E.icr).contains(.linkChange))
        bench.write([.other, .linkChange], to: E1000E.ims)
        #expect(signals(line) == 0)
        #expect(bench.read(E1000E.icr) == [])
        bench.write(.receiveTimer, to: E1000E.ics)
        #expect(bench.read(E1000E.icr) == .receiveTimer)
        #expect(bench.read(E1000E.icr) == .receiveTimer, "no enabled cause is there")
    }

    @Test func msiSendsOneMessageUntilTheCauseIsRead() throws {
        let bench = try Bench()
        let line = try connect(bench, .msi, 0)
        defer { close(line) }
        bench.write(.receiveTimer, to: E1000E.ims)
        bench.startReceive()
        for _ in 0..<3 {
            try bench.arrive(frame())
            bench.step()
        }
        #expect(signals(line) == 1)
        #expect(bench.read(E1000E.icr).isSuperset(of: [.receiveTimer, .asserted]))
        #expect(bench.read(E1000E.icr) == [])
        try bench.arrive(frame())
        bench.step()
        #expect(signals(line) == 1)
    }

    @Test func intxIsALevelThatDisableHoldsBack() throws {
        let bench = try Bench()
        let line = try connect(bench, .intx, 0)
        defer { close(line) }
        bench.write([.receiveTimer, .transmitWriteBack], to: E1000E.ims)
        bench.write(.receiveTimer, to: E1000E.ics)
        bench.write(.transmitWriteBack, to: E1000E.ics)
        #expect(signals(line) == 1)
        // It masked itself; unmasked while it is high it is delivered again.
        #expect(bench.environment.interrupts.setMasked(.intx, vector: 0, false))
        #expect(signals(line) == 1)
        _ = bench.read(E1000E.icr)
        #expect(bench.environment.interrupts.setMasked(.intx, vector: 0, false))
        #expect(signals(line) == 0)
        bench.setCommand(0x0406)
        bench.write(.receiveTimer, to: E1000E.ics)
        #expect(signals(line) == 0)
        bench.setCommand(0x0006)
        #expect(signals(line) == 1)
    }

    @Test func withoutBusMasterThereIsNoMessage() throws {
        let bench = try Bench()
        let line = try connect(bench, .msi, 0)
        defer { close(line) }
        bench.setCommand(0x0002)
        bench.write(.receiveTimer, to: E1000E.ims)
        bench.write(.receiveTimer, to: E1000E.ics)
        #expect(signals(line) == 0)
    }

    @Test func maskedCausesStayInICR() throws {
        let bench = try Bench()
        let line = try connect(bench, .msi, 0)
        defer { close(line) }
        bench.write(.receiveTimer, to: E1000E.ims)
        bench.write(.receiveTimer, to: E1000E.imc)
        bench.write(.receiveTimer, to: E1000E.ics)
        #expect(signals(line) == 0)
        #expect(bench.read(E1000E.icr).contains(.receiveTimer))
    }

    @Test func oneWrittenToICRClearsThatCauseOnly() throws {
        let bench = try Bench()
        _ = bench.read(E1000E.icr)
        bench.write([.receiveTimer, .transmitWriteBack], to: E1000E.ics)
        bench.write(.receiveTimer, to: E1000E.icr)
        #expect(bench.read(E1000E.icr) == .transmitWriteBack)
    }

    @Test func acknowledgeMasksWhatIAMNames() throws {
        let bench = try Bench()
        bench.write(.interruptAcknowledgeAutoMask, to: E1000E.ctrlExt)
        bench.write(.receiveTimer, to: E1000E.iam)
        bench.write([.receiveTimer, .linkChange], to: E1000E.ims)
        bench.write(.receiveTimer, to: E1000E.ics)
        _ = bench.read(E1000E.icr)
        #expect(bench.read(E1000E.ims) == .linkChange)
    }

    @Test func throttlingDelaysAMessageAndDoesNotLoseIt() throws {
        let bench = try Bench()
        let line = try connect(bench, .msix, 0)
        defer { close(line) }
        bench.write(vectors(receive: 0, transmit: 0, other: 0), to: E1000E.ivar)
        // 20000 × 256 ns: 5.12 ms.
        bench.write(E1000E.InterruptThrottle(bits: 20_000), to: E1000E.eitr[0])
        bench.write(.receiveQueue0, to: E1000E.eiac)
        bench.write(.interruptAcknowledgeAutoMask, to: E1000E.ctrlExt)
        bench.write(.receiveQueue0, to: E1000E.ims)
        let begin = MonotonicClock.nanoseconds()
        bench.write(.receiveQueue0, to: E1000E.ics)
        #expect(signals(line) == 1)
        bench.write(.receiveQueue0, to: E1000E.ics)
        bench.step()
        let early = signals(line)
        #expect(early == 0 || MonotonicClock.nanoseconds() - begin >= 5_120_000)
        let deadline = Deadline(afterMilliseconds: 2000)
        var late = early
        while late == 0, !deadline.hasPassed {
            bench.step()
            late = signals(line)
        }
        #expect(late == 1)
        #expect(MonotonicClock.nanoseconds() - begin >= 5_120_000)
    }

    @Test func aLowRingIsACause() throws {
        let bench = try Bench()
        bench.startReceive()
        _ = bench.read(E1000E.icr)
        for _ in 0..<3 { try bench.arrive(frame()) }
        bench.step()
        #expect(bench.read(E1000E.icr).isSuperset(of: [.receiveThreshold, .receiveTimer, .receiveQueue0]))
    }
}
