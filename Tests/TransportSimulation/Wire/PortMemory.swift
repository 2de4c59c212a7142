import DeviceMemory
import LinuxIO
import NicDriver

/// Packet pools and statistics pages that runs use one after the other: making them costs system calls. For one thread.
public final class PortMemory {
    private struct Kind: Hashable {
        let packets: Int
        let bufferByteCount: Int
    }
    private var pools: [Kind: [PacketPool]] = [:]
    private let statistics: PortStatistics

    public init() {
        do {
            statistics = try PortStatistics(
                url: "simulated:", family: "simulated", macAddress: MACAddress(bits: 2), options: PortOptions())
        } catch { fatalError("\(error)") }
    }

    public func makePort(macAddress: MACAddress, shape: SimulatedPort.Shape) -> SimulatedPort {
        SimulatedPort(macAddress: macAddress, shape: shape, packets: takePool(shape), statistics: statistics)
    }

    private func kind(_ shape: SimulatedPort.Shape) -> Kind {
        Kind(packets: shape.packets, bufferByteCount: (shape.frameByteCount + 63) & ~63)
    }

    private func takePool(_ shape: SimulatedPort.Shape) -> PacketPool {
        let kind = kind(shape)
        if let pool = pools[kind]?.popLast() { return pool }
        do {
            let memory = try DMAMemory.ordinary(byteCount: kind.packets * kind.bufferByteCount, name: "unic-simulation")
            return PacketPool(memory: memory, iova: IOVA(0x10_0000), bufferByteCount: kind.bufferByteCount)
        } catch { fatalError("\(error)") }
    }

    /// Stops a port and keeps its pool for the next one. False: buffers are missing.
    public func takeBack(_ port: SimulatedPort) -> Bool {
        do { try port.stop() } catch { return false }
        guard port.packets.freeCount == port.packets.capacity else { return false }
        pools[kind(port.shape), default: []].append(port.packets)
        return true
    }
}
