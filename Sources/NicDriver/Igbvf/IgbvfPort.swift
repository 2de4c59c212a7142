public import DeviceAccess
public import DeviceMemory
import LinuxIO
import NicRegisters

/// A virtual function of the Intel 82576, one queue pair. What it may receive it asks its PF for, by a mailbox.
///
/// When the PF is reset or goes away the port stands still: ``checkHealth()`` and waits throw, ``stop()`` works, and the
/// function can be opened again once the PF is back. Bring-up order and register use: docs/families/igbvf.md.
public final class IgbvfPort: Port {
    public let url: String
    public let family = "igbvf"
    public let macAddress: MACAddress
    public let maximumFrameByteCount: Int
    public let capabilities = PortCapabilities(
        longestFrameByteCount: IgbvfPort.longestFrameByteCount, queuePairCount: 1, furtherUnicastCount: Igbvf.furtherUnicastCount,
        receivesPromiscuously: false, insertsChecksums: true, verifiesChecksums: true)
    public var queuePairs: [any QueuePair] { [pair] }
    public let statistics: PortStatistics

    let device: any DeviceAccess
    let registers: RegisterFile
    let mailbox: IgbvfMailbox
    let options: PortOptions
    let pair: IgbvfQueuePair
    var counted: IgbvfStatistics
    /// The PF was asked for more unicast addresses than the own one.
    var hasFurtherAddresses = false
    /// As it was set last.
    var filter = ReceiveFilter()
    private(set) var isStopped = false

    /// Resets and sets the function up, waits for the link, and starts the queues.
    /// - Parameters:
    ///   - allocate: gives packet memory of at least so many bytes; rings come from ordinary pages. Called once.
    public init(device: any DeviceAccess, options: PortOptions, allocate: (Int) throws(PortError) -> DMAMemory) throws(PortError) {
        try IgbvfPort.judge(options)
        self.device = device
        self.options = options
        url = device.url
        maximumFrameByteCount = options.maximumFrameByteCount
        do {
            try BusMaster.enable(device)
            registers = try RegisterFile(device, region: Igbvf.PCI.registerBAR)
        } catch { throw .device(error) }
        mailbox = IgbvfMailbox(registers, device: device)
        try IgbvfBringUp.reset(registers, device: device)
        macAddress = try IgbvfBringUp.agreeOnAddress(mailbox, options: options)
        try IgbvfBringUp.setReceiveLimit(mailbox, maximumFrameByteCount: options.maximumFrameByteCount)
        statistics = try PortStatistics(url: url, family: family, macAddress: macAddress, options: options)
        var iovas = IOVAAllocator(windows: device.dmaLimits.windows)
        let memory = try PortMemory(
            device: device, options: options, bufferByteCount: IgbvfBringUp.bufferByteCount(options), iovas: &iovas, allocate: allocate)
        pair = try IgbvfQueuePair(
            index: 0, device: device, registers: registers, memory: memory, statistics: statistics.queue(0), options: options)
        try IgbvfBringUp.waitForLink(registers, device: device, milliseconds: options.linkTimeoutMilliseconds)
        counted = IgbvfStatistics(registers)
        try start()
    }

    /// Gives the rings to the function, and lets it go.
    func start() throws(PortError) {
        try IgbvfBringUp.setUpTransmit(registers, queue: pair.index, pair.memory)
        try IgbvfBringUp.setUpReceive(registers, queue: pair.index, pair.memory, options)
        pair.start()
        if options.wait.usesInterrupts {
            try IgbvfInterrupts.enable(pair, device: device, registers: registers, options: options)
        }
        do { try registers.check() } catch { throw .device(error) }
    }

    deinit { try? stop() }

    public func checkHealth() throws(PortError) {
        try IgbvfBringUp.checkStatus(registers, url: url)
        try mailbox.checkPF()
        try pair.checkPresence()
        guard linkIsUp else { throw .linkDown(url: url, milliseconds: 0) }
    }

    public var linkIsUp: Bool {
        let status = registers.read(Igbvf.status)
        return status.bits != .max && status.contains(.linkUp) && mailbox.loss == nil
    }

    public func readRegisters() -> [DeviceRegister] {
        DeviceRegister.read(
            ["CTRL", "STATUS", "EIMS", "EITR", "SRRCTL", "RDH", "RDT", "RXDCTL", "TDH", "TDT", "TXDCTL"], of: Igbvf.allRows,
            elementCount: 1, from: registers)
    }

    /// What was counted until the PF was reset stays.
    public func readDeviceCounters() throws(PortError) -> DeviceCounters? {
        try IgbvfBringUp.checkStatus(registers, url: url)
        if registers.read(Igbvf.rxdctl[pair.index]).contains(.enable) { counted.update(registers) }
        do { try registers.check() } catch { throw .device(error) }
        return counted.counters
    }

    /// Lets what was sent go out, then quiets the function and takes every buffer back. Needs no answer of the PF.
    public func stop() throws(PortError) {
        guard !isStopped else { return }
        isStopped = true
        defer { pair.takeBackBuffers() }
        pair.drainTransmit(until: Deadline(afterMilliseconds: 50))
        do {
            try IgbvfInterrupts.disable(device: device, registers: registers)
            IgbvfBringUp.stopQueues(registers, queue: pair.index, device: device)
            try IgbvfBringUp.reset(registers, device: device)
            try pair.memory.unmap()
            try BusMaster.disable(device)
        } catch let error as PortError {
            throw error
        } catch let error as DeviceError {
            throw .device(error)
        } catch { throw .badOption("\(error)") }
    }
}
