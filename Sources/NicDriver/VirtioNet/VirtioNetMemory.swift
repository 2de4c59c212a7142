import DeviceAccess
import DeviceMemory
import NicRegisters

/// The memory of one queue pair, mapped for its device: both rings, and the packets, each with room for the device's header
/// in front of the frame.
final class VirtioNetMemory {
    let pool: PacketPool
    let receive: VirtqueueArea
    let transmit: VirtqueueArea
    private let rings: DMAMemory
    private let device: any DeviceAccess
    private var mapped: [IOVARange] = []

    /// Packets: as many as both rings hold, and the owner's spare ones.
    /// - Parameter iovas: the device's address space, which its queue pairs share.
    init(
        device: any DeviceAccess, receive: VirtqueueLayout, transmit: VirtqueueLayout, options: PortOptions, iovas: inout IOVAAllocator,
        allocate: (Int) throws(PortError) -> DMAMemory
    ) throws(PortError) {
        self.device = device
        let slotByteCount = VirtioNetMemory.bufferByteCount(options)
        let packets = try allocate((receive.size + transmit.size + options.sparePackets) * slotByteCount)
        rings = try PortMemory.ringMemory(byteCount: receive.byteCount + transmit.byteCount, device: device, allocate: allocate)
        rings.window.fill(0)
        let ringRange = try PortMemory.map(rings, device: device, iovas: &iovas, access: .readWrite)
        mapped.append(ringRange)
        self.receive = VirtqueueArea(
            layout: receive, window: rings.window.slice(at: 0, byteCount: receive.byteCount), iova: ringRange.start.rawValue)
        self.transmit = VirtqueueArea(
            layout: transmit, window: rings.window.slice(at: receive.byteCount, byteCount: transmit.byteCount),
            iova: ringRange.start.rawValue + UInt64(receive.byteCount))
        let packetRange: IOVARange
        do {
            packetRange = try PortMemory.map(packets, device: device, iovas: &iovas, access: .readWrite)
        } catch {
            try? device.unmap(ringRange)
            PortMemory.release(ringRange, device: device, iovas: &iovas)
            throw error
        }
        mapped.append(packetRange)
        pool = PacketPool(
            memory: packets, iova: packetRange.start, bufferByteCount: slotByteCount, headroomByteCount: VirtioNet.Header.byteCount)
    }

    /// Both rings as they were at first. Only while no device knows of them.
    func clearRings() { rings.window.fill(0) }

    /// 2048 bytes for ordinary frames, 16 KiB for jumbo ones: header and frame lie in one buffer always, and no buffer
    /// crosses a hugepage's end.
    static func bufferByteCount(_ options: PortOptions) -> Int { options.maximumFrameByteCount <= 1514 ? 2048 : 16384 }

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
