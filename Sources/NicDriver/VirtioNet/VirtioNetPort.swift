public import DeviceAccess
public import DeviceMemory
import LinuxIO

/// A virtio-net function, virtio 1.x over PCI: up to 8 queue pairs, split or packed rings as the device offers them.
///
/// Bring-up order, features and what is judged of the device's words: docs/families/virtio-net.md.
public final class VirtioNetPort: Port {
    public let url: String
    public let family = "virtio-net"
    public let macAddress: MACAddress
    public let maximumFrameByteCount: Int
    public let capabilities: PortCapabilities
    public let queuePairs: [any QueuePair]
    public let statistics: PortStatistics

    let bringUp: VirtioNetBringUp
    let control: VirtioControlQueue?
    let device: any DeviceAccess
    let common: VirtioCommonConfig
    let options: PortOptions
    let pairs: [any VirtioNetPair]
    /// As the device described its queues when it was opened.
    let queueShapes: [Int: VirtioNetBringUp.QueueShape]
    /// As it was set last.
    var filter = ReceiveFilter()
    private(set) var isStopped = false

    /// Longest frame without FCS of any virtio-net port: as on the other families' wires.
    static var longestFrameByteCount: Int { 9014 }
    /// Addresses that devices filter for, unicast and multicast together (QEMU hw/virtio/virtio-net.h, MAC_TABLE_ENTRIES).
    static var macTableSize: Int { 64 }

    /// Resets and sets the device up, and starts all queues.
    /// - Parameters:
    ///   - allocate: gives packet memory of at least so many bytes; rings come from ordinary pages. Called once a queue pair.
    public init(device: any DeviceAccess, options: PortOptions, allocate: (Int) throws(PortError) -> DMAMemory) throws(PortError) {
        try VirtioNetPort.judge(options)
        self.device = device
        self.options = options
        url = device.url
        maximumFrameByteCount = options.maximumFrameByteCount
        let structures: VirtioStructures
        do {
            try BusMaster.enable(device)
            structures = try VirtioStructures(device)
        } catch { throw .device(error) }
        let common = VirtioCommonConfig(structures, device: device)
        self.common = common
        do throws(PortError) {
            let bringUp = try VirtioNetBringUp(device, structures: structures, common: common, options: options)
            let address = try bringUp.macAddress()
            let statistics = try PortStatistics(url: device.url, family: "virtio-net", macAddress: address, options: options)
            var iovas = IOVAAllocator(windows: device.dmaLimits.windows)
            pairs = try bringUp.makePairs(statistics, iovas: &iovas, allocate)
            queuePairs = pairs
            control = try bringUp.makeControlQueue(iovas: &iovas, allocate)
            queueShapes = bringUp.queueShapes
            capabilities = bringUp.capabilities
            macAddress = address
            self.statistics = statistics
            self.bringUp = bringUp
        } catch {
            common.giveUp()
            try? BusMaster.disable(device)
            throw error
        }
        // From here on a failure stops the port, since the device may know of its memory.
        try bringUp.start(pairs, control)
        try setUpSpreading()
        if bringUp.features.contains(.controlReceive) { try setFilter(ReceiveFilter()) }
        for pair in pairs { pair.start() }
        try waitForLink(milliseconds: options.linkTimeoutMilliseconds)
    }

    private static func judge(_ options: PortOptions) throws(PortError) {
        for (name, size) in [("receive", options.receiveRingSize), ("transmit", options.transmitRingSize)] {
            guard (64...4096).contains(size), size & (size - 1) == 0 else {
                throw .badOption("A \(name) ring of \(size) descriptors: give a power of two from 64 to 4096.")
            }
        }
        guard (60...longestFrameByteCount).contains(options.maximumFrameByteCount) else {
            throw .badOption(
                "A maximum frame of \(options.maximumFrameByteCount) bytes without FCS: virtio-net takes 60 to \(longestFrameByteCount).")
        }
        guard (0...1 << 19).contains(options.sparePackets) else {
            throw .badOption("\(options.sparePackets) spare packets: give 0 to \(1 << 19).")
        }
        guard (1...PortOptions.queuePairLimit).contains(options.queuePairCount) else {
            throw .badOption("\(options.queuePairCount) queue pairs: give 1 to \(PortOptions.queuePairLimit).")
        }
    }

    func waitForLink(milliseconds: UInt64) throws(PortError) {
        let deadline = Deadline(afterMilliseconds: milliseconds)
        while !linkIsUp {
            try common.check()
            guard !deadline.hasPassed else { throw .linkDown(url: url, milliseconds: milliseconds) }
            _ = device.progress?.step()
            Processor.yield()
        }
    }

    deinit { try? stop() }

    public func checkHealth() throws(PortError) {
        do { try device.checkPresence() } catch { throw .device(error) }
        try common.check()
        for pair in pairs { try pair.checkRings() }
        guard linkIsUp else { throw .linkDown(url: url, milliseconds: 0) }
    }

    public var linkIsUp: Bool { bringUp.config.linkIsUp }

    /// Fields of its configuration structures; its rings lie in memory, not in registers.
    public func readRegisters() -> [DeviceRegister] {
        [
            DeviceRegister("device_status", UInt64(common.status.rawValue)),
            DeviceRegister("config_generation", UInt64(common.generation)),
            DeviceRegister("num_queues", UInt64(common.queueCount)),
            DeviceRegister("driver_features", bringUp.features.rawValue),
        ]
    }

    /// A virtio device keeps no counters that its driver could read.
    public func readDeviceCounters() throws(PortError) -> DeviceCounters? { nil }

    /// Lets what was sent go out, then resets the device and takes every buffer back. Memory is unmapped whatever the
    /// device says; the first error is thrown.
    public func stop() throws(PortError) {
        guard !isStopped else { return }
        isStopped = true
        defer { for pair in pairs { pair.takeBackBuffers() } }
        let deadline = Deadline(afterMilliseconds: 50)
        for pair in pairs { pair.drainTransmit(until: deadline) }
        var first: PortError?
        do throws(PortError) { try common.reset() } catch { first = error }
        func attempt(_ step: () throws(DeviceError) -> Void) {
            do throws(DeviceError) { try step() } catch { first = first ?? .device(error) }
        }
        attempt { () throws(DeviceError) in try device.disableInterrupts(.msix) }
        for pair in pairs { attempt { () throws(DeviceError) in try pair.memory.unmap() } }
        attempt { () throws(DeviceError) in try control?.unmap() }
        attempt { () throws(DeviceError) in try BusMaster.disable(device) }
        if let first { throw first }
    }
}
