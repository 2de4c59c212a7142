import DeviceAccess
import DeviceMemory
import DeviceModel
import LinuxIO
import SoftDevice
import Testing

@Suite struct SoftDeviceDMATests {
    let environment: DeviceEnvironment
    let device: SoftDevice<ToyModel>

    init() throws {
        environment = try DeviceEnvironment(for: ToyModel.description)
        device = SoftDevice(url: "soft:toy", environment: environment, model: ToyModel(environment: environment, log: ToyLog()))
    }

    @Test func theLimitsLeaveOutTheInterruptWindow() {
        let limits = device.dmaLimits
        #expect(limits.pageSizes == 4096)
        #expect(limits.maximumMappings == 65535)
        #expect(limits.windows.map(\.start.rawValue) == [0x1000, 0xfef0_0000])
        #expect(limits.windows.map(\.last) == [0xfedf_ffff, 0x7f_ffff_ffff])
    }

    @Test func mappedMemoryIsSeenByTheModelWithItsAccess() throws {
        let memory = try DMAMemory.ordinary(byteCount: 8192)
        memory.window.store32(0x1234, at: 4096)
        try device.map(memory, at: IOVA(0x10_0000), access: .read)
        let seen = try #require(environment.dma.translate(IOVA(0x10_1000), byteCount: 4, access: .read))
        #expect(seen.load32(at: 0) == 0x1234)
        #expect(environment.dma.translate(IOVA(0x10_1000), byteCount: 4, access: .write) == nil)
    }

    @Test func afterAnUnmapNothingReachesTheMemory() throws {
        let memory = try DMAMemory.ordinary(byteCount: 4096)
        let range = try #require(IOVARange(start: IOVA(0x10_0000), byteCount: 4096))
        try device.map(memory, at: range.start, access: .readWrite)
        try device.unmap(range)
        #expect(environment.dma.translate(range.start, byteCount: 1, access: .read) == nil)
        #expect(throws: DeviceError.self) { try device.unmap(range) }
    }

    @Test func anUnmapThatWouldCutAMappingIsRefusedAndChangesNothing() throws {
        let memory = try DMAMemory.ordinary(byteCount: 8192)
        try device.map(memory, at: IOVA(0x10_0000), access: .readWrite)
        let half = try #require(IOVARange(start: IOVA(0x10_0000), byteCount: 4096))
        #expect { try device.unmap(half) } throws: { "\($0)".contains("it would cut a mapping in two") }
        #expect(environment.dma.translate(IOVA(0x10_1000), byteCount: 4096, access: .write) != nil)
    }

    @Test(
        arguments: [
            (0, "outside of the windows"), (0xfee0_0000, "outside of the windows"), (0xfedf_f000, "outside of the windows"),
            (0x80_0000_0000, "outside of the windows"), (0x7f_ffff_f000, "outside of the windows"), (0x1001, "whole pages"),
            (.max - 0xfff, "top of the address space"), (.max - 0x1fff, "outside of the windows"),
        ] as [(UInt64, String)])
    func memoryThatTheLimitsDoNotAllowIsRefused(iova: UInt64, reason: String) throws {
        let memory = try DMAMemory.ordinary(byteCount: 8192)
        #expect { try device.map(memory, at: IOVA(iova), access: .read) } throws: { "\($0)".contains(reason) }
        #expect(environment.dma.count == 0)
    }

    @Test func anOverlapIsRefused() throws {
        let memory = try DMAMemory.ordinary(byteCount: 8192)
        try device.map(memory, at: IOVA(0x10_0000), access: .read)
        #expect { try device.map(memory, at: IOVA(0x10_1000), access: .read) } throws: { "\($0)".contains("which is mapped") }
        #expect { try device.map(memory, at: IOVA(0x20_0000), access: []) } throws: { "\($0)".contains("neither reading nor writing") }
        #expect(environment.dma.count == 1)
    }

    @Test func aTableThatIsFullRefusesMore() throws {
        let environment = try DeviceEnvironment(for: ToyModel.description, dma: DMASpace(maximumEntries: 1))
        let device = SoftDevice(url: "soft:toy", environment: environment, model: ToyModel(environment: environment, log: ToyLog()))
        let memory = try DMAMemory.ordinary(byteCount: 4096)
        try device.map(memory, at: IOVA(0x10_0000), access: .read)
        #expect { try device.map(memory, at: IOVA(0x20_0000), access: .read) } throws: { "\($0)".contains("1 ranges are mapped already") }
        #expect(device.dmaLimits.maximumMappings == 1)
    }
}

@Suite struct SoftDeviceInterruptTests {
    let environment: DeviceEnvironment
    let device: SoftDevice<ToyModel>

    init() throws {
        environment = try DeviceEnvironment(for: ToyModel.description)
        device = SoftDevice(url: "soft:toy", environment: environment, model: ToyModel(environment: environment, log: ToyLog()))
    }

    @Test func theCountsAreTheFunctions() throws {
        #expect(try InterruptKind.allCases.map { try device.interruptCount($0) } == [1, 0, 2, 0, 0])
    }

    @Test func aTriggerSignalsTheEventfdOfItsVector() throws {
        let first = try EventFD(), second = try EventFD()
        try device.enableInterrupts(.msix, eventfds: [first.number, second.number])
        environment.interrupts.trigger(.msix, vector: 1)
        #expect(first.drain() == 0)
        #expect(second.drain() == 1)
    }

    @Test func theCallersDescriptorMayBeClosed() throws {
        let kept = try EventFD()
        do {
            let given = EventFD(adopting: try kept.descriptor.duplicate())
            try device.enableInterrupts(.msix, eventfds: [given.number])
        }
        environment.interrupts.trigger(.msix, vector: 0)
        #expect(kept.drain() == 1)
    }

    @Test func enablingReplacesAndDisablingSilences() throws {
        let first = try EventFD(), second = try EventFD()
        try device.enableInterrupts(.msix, eventfds: [first.number, first.number])
        try device.enableInterrupts(.msix, eventfds: [second.number])
        environment.interrupts.trigger(.msix, vector: 0)
        environment.interrupts.trigger(.msix, vector: 1)
        #expect(first.drain() == 0)
        #expect(second.drain() == 1)
        try device.disableInterrupts(.msix)
        environment.interrupts.trigger(.msix, vector: 0)
        #expect(second.drain() == 0)
        try device.disableInterrupts(.error)
    }

    @Test func aNegativeNumberLeavesAVectorSilent() throws {
        let event = try EventFD()
        try device.enableInterrupts(.msix, eventfds: [-1, event.number])
        #expect(!environment.interrupts.isConnected(.msix, vector: 0))
        #expect(environment.interrupts.isConnected(.msix, vector: 1))
    }

    @Test(arguments: [(InterruptKind.msix, 3), (.msix, 0), (.msi, 1), (.error, 1), (.request, 1), (.intx, 2)])
    func moreVectorsThanThereAreAreRefused(kind: InterruptKind, count: Int) throws {
        let event = try EventFD()
        let numbers = [Int32](repeating: event.number, count: count)
        #expect(throws: DeviceError.self) { try device.enableInterrupts(kind, eventfds: numbers) }
        #expect(!environment.interrupts.isConnected(.msix, vector: 0))
    }

    @Test func aClosedDescriptorIsRefusedAndNothingChanges() throws {
        let event = try EventFD()
        try device.enableInterrupts(.msix, eventfds: [event.number])
        #expect(throws: DeviceError.self) { try device.enableInterrupts(.msix, eventfds: [event.number, 1_000_000]) }
        environment.interrupts.trigger(.msix, vector: 0)
        #expect(event.drain() == 1)
    }

    @Test func aMaskedINTxIsDeliveredWhenUnmasked() throws {
        let event = try EventFD()
        try device.enableInterrupts(.intx, eventfds: [event.number])
        #expect(environment.interrupts.setMasked(.intx, vector: 0, true))
        environment.interrupts.trigger(.intx, vector: 0)
        #expect(event.drain() == 0)
        try device.unmaskINTx()
        #expect(event.drain() == 1)
    }

    @Test func unmaskingWithoutINTxIsRefused() throws {
        var description = ToyModel.description
        description.hasINTx = false
        let environment = try DeviceEnvironment(for: description)
        let device = SoftDevice(url: "soft:toy", environment: environment, model: ToyModel(environment: environment, log: ToyLog()))
        #expect(throws: DeviceError.self) { try device.unmaskINTx() }
    }
}
