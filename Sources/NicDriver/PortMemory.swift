import DeviceAccess
import DeviceMemory

/// The memory of one queue pair, mapped for its device: both rings, and the packets.
final class PortMemory {
    let pool: PacketPool
    let receiveRing: DescriptorRing
    let receiveRingIOVA: IOVA
    let transmitRing: DescriptorRing
    let transmitRingIOVA: IOVA
    private let rings: DMAMemory
    private let device: any DeviceAccess
    private var mapped: [IOVARange] = []

    /// Packets: as many as both rings hold, and the owner's spare ones.
    /// - Parameter iovas: the device's address space, which its queue pairs share.
    init(
        device: any DeviceAccess, options: PortOptions, bufferByteCount: Int, iovas: inout IOVAAllocator,
        allocate: (Int) throws(PortError) -> DMAMemory
    ) throws(PortError) {
        self.device = device
        let packetCount = options.receiveRingSize + options.transmitRingSize + options.sparePackets
        let ringBytes = (options.receiveRingSize + options.transmitRingSize) * 16
        let packets = try allocate(packetCount * bufferByteCount)
        rings = try PortMemory.ringMemory(byteCount: ringBytes, device: device, allocate: allocate)
        let ringRange = try PortMemory.map(rings, device: device, iovas: &iovas, access: .readWrite)
        mapped.append(ringRange)
        receiveRingIOVA = ringRange.start
        transmitRingIOVA = IOVA(ringRange.start.rawValue + UInt64(options.receiveRingSize * 16))
        rings.window.fill(0xff)
        receiveRing = DescriptorRing(rings.window, count: options.receiveRingSize)
        transmitRing = DescriptorRing(
            rings.window.slice(at: options.receiveRingSize * 16, byteCount: options.transmitRingSize * 16), count: options.transmitRingSize)
        let packetRange: IOVARange
        do {
            packetRange = try PortMemory.map(packets, device: device, iovas: &iovas, access: .readWrite)
        } catch {
            try? device.unmap(ringRange)
            PortMemory.release(ringRange, device: device, iovas: &iovas)
            throw error
        }
        mapped.append(packetRange)
        pool = PacketPool(memory: packets, iova: packetRange.start, bufferByteCount: bufferByteCount)
    }

    /// Finds a place and maps it, aligned to the memory's pages so that the IOMMU can use large ones.
    static func map(
        _ memory: borrowing DMAMemory, device: any DeviceAccess, iovas: inout IOVAAllocator, access: DMAAccess
    ) throws(PortError) -> IOVARange {
        do throws(DeviceError) {
            let range = try device.place(memory, in: &iovas)
            do throws(DeviceError) { try device.map(memory, at: range.start, access: access) } catch {
                release(range, device: device, iovas: &iovas)
                throw error
            }
            return range
        } catch { throw .device(error) }
    }

    /// Physical addresses were never the allocator's.
    static func release(_ range: IOVARange, device: any DeviceAccess, iovas: inout IOVAAllocator) {
        if !device.dmaLimits.seesPhysicalAddresses { iovas.release(range) }
    }

    /// Ordinary pages are scattered: a device that sees physical addresses gets rings from where packets come from.
    static func ringMemory(
        byteCount: Int, device: any DeviceAccess, allocate: (Int) throws(PortError) -> DMAMemory
    ) throws(PortError) -> DMAMemory {
        if device.dmaLimits.seesPhysicalAddresses { return try allocate(byteCount) }
        do { return try DMAMemory.ordinary(byteCount: byteCount, name: "unic-rings") } catch {
            throw .device(.systemCall(device: device.url, group: nil, cause: error, fix: "Free some memory."))
        }
    }

    /// No DMA reaches the memory afterwards. Goes on after an error and throws the first.
    func unmap() throws(DeviceError) {
        var first: DeviceError?
        while let range = mapped.popLast() {
            do { try device.unmap(range) } catch { first = first ?? error }
        }
        if let first { throw first }
    }

    deinit { try? unmap() }
}
