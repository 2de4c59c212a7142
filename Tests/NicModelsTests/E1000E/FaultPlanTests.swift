import DeviceMemory
import DeviceModel
import NicModels
import NicRegisters
import Testing

@Suite struct FaultPlanTests {
    @Test func aLostDeviceReadsAsOnesAndDoesNothing() throws {
        let bench = try Bench()
        bench.startReceive()
        bench.model.faults.allOnes = true
        #expect(bench.read(E1000E.status).bits == .max)
        #expect(bench.model.readRegion(0, at: 8, byteCount: 2) == 0xffff)
        try bench.arrive(frame())
        #expect(!bench.step())
        bench.model.faults.allOnes = false
        bench.step()
        #expect(bench.receivedBytes(0) == frame())
    }

    @Test func lengthsBeyondTheBufferAreReportedAsOftenAsAsked() throws {
        let bench = try Bench()
        bench.startReceive()
        bench.model.faults.lengthsBeyondBuffer = 1
        try bench.arrive(frame())
        try bench.arrive(frame())
        bench.step()
        #expect((0..<2).map { bench.received($0).length } == [0xffff, 60])
    }

    @Test func aDescriptorIsDoneASecondTime() throws {
        let bench = try Bench()
        bench.startReceive()
        bench.model.faults.doneTwice = 1
        try bench.arrive(frame())
        bench.step()
        bench.giveReceive(0, buffer: bench.iova(bench.buffer(0)))
        bench.step()
        #expect(bench.received(0).status.contains(.done))
        bench.giveReceive(0, buffer: bench.iova(bench.buffer(0)))
        bench.step()
        #expect(!bench.received(0).status.contains(.done))
    }

    @Test func interruptsAreLostAsOftenAsAsked() throws {
        let bench = try Bench()
        bench.model.faults.lostInterrupts = 1
        bench.write(.receiveTimer, to: E1000E.ims)
        bench.write(.receiveTimer, to: E1000E.ics)
        #expect(bench.model.faults.lostInterrupts == 0)
        #expect(bench.read(E1000E.iac) == 0)
        _ = bench.read(E1000E.icr)
        bench.write(.receiveTimer, to: E1000E.ics)
        #expect(bench.read(E1000E.iac) == 1)
    }
}
