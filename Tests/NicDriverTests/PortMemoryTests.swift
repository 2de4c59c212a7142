import DeviceAccess
import DeviceMemory
import Testing

@testable import NicDriver

/// How a port's memory comes to its device, and back.
struct PortMemoryTests {
    private let options = PortOptions()

    private func packets(_ byteCount: Int) throws(PortError) -> DMAMemory {
        do { return try DMAMemory.ordinary(byteCount: byteCount) } catch { throw .noMemory(url: "soft:scripted", reason: "\(error)") }
    }

    @Test func aQueuePairTakesTwoMappingsHoweverManyPacketsItHas() throws {
        let device = try ScriptedDevice()
        var iovas = IOVAAllocator(windows: device.dmaLimits.windows)
        let memory = try PortMemory(device: device, options: options, bufferByteCount: 2048, iovas: &iovas, allocate: packets)
        #expect(device.dma.count == 2)
        try memory.unmap()
        #expect(device.dma.count == 0)
    }

    @Test(arguments: [0, 1]) func aRefusedMappingGivesMappingsAndAddressesBack(which: Int) throws {
        let device = try ScriptedDevice()
        device.refusedMapping = which
        var iovas = IOVAAllocator(windows: device.dmaLimits.windows)
        let before = iovas.freeRanges
        do {
            _ = try PortMemory(device: device, options: options, bufferByteCount: 2048, iovas: &iovas, allocate: packets)
            Issue.record("it was not refused")
        } catch { #expect(error.description.contains("the test refuses")) }
        let after = iovas.freeRanges
        #expect(device.dma.count == 0 && after == before)
    }

    @Test func withoutAnIOMMURingsComeFromWherePacketsComeFromAndStayWhereTheyLie() throws {
        let device = try ScriptedDevice()
        device.physicalPlace = IOVA(0x4000_0000)
        var iovas = IOVAAllocator(windows: device.dmaLimits.windows)
        let before = iovas.freeRanges
        var wanted: [Int] = []
        func allocate(_ byteCount: Int) throws(PortError) -> DMAMemory {
            wanted.append(byteCount)
            return try packets(byteCount)
        }
        let memory = try PortMemory(device: device, options: options, bufferByteCount: 2048, iovas: &iovas, allocate: allocate)
        let after = iovas.freeRanges
        #expect(wanted == [1536 * 2048, 1024 * 16])
        #expect(memory.receiveRingIOVA == IOVA(0x4000_0000) && after == before)
        device.refusedMapping = device.mapCount + 1
        #expect(throws: PortError.self) {
            _ = try PortMemory(device: device, options: options, bufferByteCount: 2048, iovas: &iovas, allocate: packets)
        }
        #expect(device.dma.count == 2)
    }

    @Test func memoryThatIsNoMultipleOfTheIOMMUsPageIsRefusedWithWhatToDo() throws {
        let device = try ScriptedDevice()
        device.pageSizes = 0x1_0000
        var iovas = IOVAAllocator(windows: device.dmaLimits.windows)
        let refused = try DMAMemory.ordinary(byteCount: 0x3000)
        do {
            _ = try device.place(refused, in: &iovas)
            Issue.record("it was not refused")
        } catch { #expect(error.description.contains("pages of 65536 bytes") && error.description.contains("hugepages")) }
        let whole = try DMAMemory.ordinary(byteCount: 0x2_0000)
        let range = try device.place(whole, in: &iovas)
        #expect(range.start.rawValue % 0x1_0000 == 0)
    }

    @Test func noRoomForAddressesIsToldWithWhatIsWanted() throws {
        let device = try ScriptedDevice()
        var iovas = IOVAAllocator(windows: [IOVARange(first: 0x1000_0000, last: 0x1000_0fff)!])
        let memory = try DMAMemory.ordinary(byteCount: 0x2000)
        do {
            _ = try device.place(memory, in: &iovas)
            Issue.record("it was not refused")
        } catch { #expect(error.description.contains("no IOVA window has 8192 bytes free")) }
    }
}
