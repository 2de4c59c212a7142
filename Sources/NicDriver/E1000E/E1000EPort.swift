public import DeviceAccess
public import DeviceMemory
import LinuxIO
import NicRegisters

/// The Intel 82574L, one or two queue pairs.
///
/// Bring-up order, timing and register use: docs/families/e1000e.md.
public final class E1000EPort: Port {
    public let url: String
    public let family = "e1000e"
    public let macAddress: MACAddress
    public let maximumFrameByteCount: Int
    public let capabilities = PortCapabilities(
        longestFrameByteCount: 9014, queuePairCount: E1000E.queueCount, furtherUnicastCount: E1000E.ral.count - 1, insertsChecksums: true,
        verifiesChecksums: true)
    public var queuePairs: [any QueuePair] { pairs }

    let device: any DeviceAccess
    let registers: RegisterFile
    let options: PortOptions
    let pairs: [E1000EQueuePair]
    public let statistics: PortStatistics
    var accumulated = DeviceCounters()
    /// As it was set last.
    var filter = ReceiveFilter()
    private(set) var isStopped = false

    /// Resets and sets the device up, waits for the link, and starts all queues.
    /// - Parameters:
    ///   - allocate: gives packet memory of at least so many bytes; rings come from ordinary pages. Called once a queue pair.
    public init(device: any DeviceAccess, options: PortOptions, allocate: (Int) throws(PortError) -> DMAMemory) throws(PortError) {
        try E1000EPort.judge(options)
        self.device = device
        self.options = options
        url = device.url
        maximumFrameByteCount = options.maximumFrameByteCount
        do {
            try BusMaster.enable(device)
            registers = try RegisterFile(device, region: E1000E.PCI.registerBAR)
        } catch { throw .device(error) }
        try E1000EBringUp.reset(registers, device: device)
        macAddress = try E1000EBringUp.readMACAddress(registers, url: device.url)
        statistics = try PortStatistics(url: url, family: family, macAddress: macAddress, options: options)
        pairs = try E1000EPort.makePairs(device, registers, statistics, options, allocate)
        try E1000EBringUp.setUpFilters(registers, mac: macAddress)
        E1000EBringUp.clearStatistics(registers)
        try E1000EBringUp.waitForLink(registers, device: device, milliseconds: options.linkTimeoutMilliseconds)
        try start()
    }

    private static func makePairs(
        _ device: any DeviceAccess, _ registers: RegisterFile, _ statistics: PortStatistics, _ options: PortOptions,
        _ allocate: (Int) throws(PortError) -> DMAMemory
    ) throws(PortError) -> [E1000EQueuePair] {
        var iovas = IOVAAllocator(windows: device.dmaLimits.windows)
        var pairs: [E1000EQueuePair] = []
        for index in 0..<options.queuePairCount {
            let memory = try PortMemory(
                device: device, options: options, bufferByteCount: E1000EBringUp.bufferByteCount(options), iovas: &iovas, allocate: allocate
            )
            pairs.append(
                try E1000EQueuePair(
                    index: index, device: device, registers: registers, memory: memory, statistics: statistics.queue(index),
                    options: options))
        }
        return pairs
    }

    /// Gives the rings to the device, and lets it go.
    func start() throws(PortError) {
        for pair in pairs { E1000EBringUp.setUpReceive(registers, queue: pair.index, pair.memory) }
        E1000EBringUp.spreadFlows(registers, queueCount: pairs.count)
        E1000EBringUp.enableReceive(registers, options)
        for pair in pairs { E1000EBringUp.setUpTransmit(registers, queue: pair.index, pair.memory) }
        E1000EBringUp.enableTransmit(registers)
        for pair in pairs { pair.start() }
        if options.wait.usesInterrupts {
            try E1000EInterrupts.enable(pairs, device: device, registers: registers, options: options)
        }
        do { try registers.check() } catch { throw .device(error) }
    }

    deinit { try? stop() }

    public func checkHealth() throws(PortError) {
        try pairs[0].checkPresence()
        guard registers.read(E1000E.status).bits != .max else {
            throw .device(registers.fault ?? .gone(device: url, reason: "register STATUS reads all-ones"))
        }
        guard linkIsUp else { throw .linkDown(url: url, milliseconds: 0) }
    }

    public var linkIsUp: Bool {
        let status = registers.read(E1000E.status)
        return status.bits != .max && status.contains(.linkUp)
    }

    /// Lets what was sent go out, then quiets the device and takes every buffer back.
    public func stop() throws(PortError) {
        guard !isStopped else { return }
        isStopped = true
        defer { for pair in pairs { pair.takeBackBuffers() } }
        // A device that does not take all descriptors in time is reset anyway.
        let deadline = Deadline(afterMilliseconds: 50)
        for pair in pairs { pair.drainTransmit(until: deadline) }
        do {
            try E1000EInterrupts.disable(device: device, registers: registers)
            try E1000EBringUp.quiet(registers, device: device)
            for pair in pairs { try pair.memory.unmap() }
            try BusMaster.disable(device)
        } catch let error as PortError {
            throw error
        } catch let error as DeviceError {
            throw .device(error)
        } catch { throw .badOption("\(error)") }
    }
}
