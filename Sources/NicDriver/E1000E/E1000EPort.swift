public import DeviceAccess
public import DeviceMemory
import LinuxIO
import NicRegisters

/// The Intel 82574L, one receive and one transmit queue.
///
/// Bring-up order, timing and register use: docs/families/e1000e.md.
public final class E1000EPort: Port {
    public let url: String
    public let family = "e1000e"
    public internal(set) var macAddress: MACAddress
    public let maximumFrameByteCount: Int
    public let pool: PacketPoolReference

    let device: any DeviceAccess
    let registers: RegisterFile
    let options: PortOptions
    private let progress: (any DeviceProgress)?
    private let forwardsDoorbells: Bool
    private var rx: E1000ERxQueue
    private var tx: E1000ETxQueue
    private let memory: PortMemory
    var interrupt: ReceiveInterrupt?
    var accumulated = DeviceCounters()
    private var isStopped = false

    /// Resets and sets the device up, waits for the link, and starts both queues.
    /// - Parameters:
    ///   - allocate: gives packet memory of at least so many bytes; rings come from ordinary pages.
    public init(device: any DeviceAccess, options: PortOptions, allocate: (Int) throws(PortError) -> DMAMemory) throws(PortError) {
        try E1000EPort.judge(options)
        self.device = device
        self.options = options
        url = device.url
        maximumFrameByteCount = options.maximumFrameByteCount
        progress = device.progress
        let memory: PortMemory
        do {
            try E1000EPort.enableBusMaster(device)
            registers = try RegisterFile(device, region: E1000E.PCI.registerBAR)
        } catch { throw .device(error) }
        try E1000EBringUp.reset(registers, device: device)
        macAddress = try E1000EBringUp.readMACAddress(registers, url: device.url)
        memory = try PortMemory(
            device: device, options: options, bufferByteCount: E1000EBringUp.bufferByteCount(options), allocate: allocate)
        self.memory = memory
        pool = memory.pool.reference
        do {
            let rxDoorbell = try registers.doorbell(E1000E.rdt[0])
            let txDoorbell = try registers.doorbell(E1000E.tdt[0])
            forwardsDoorbells = registers.hasTrappedDoorbells
            guard
                let rx = E1000ERxQueue(
                    ring: memory.receiveRing, pool: memory.pool.reference, doorbell: rxDoorbell,
                    maximumFrameByteCount: options.maximumFrameByteCount)
            else { throw PortError.noMemory(url: url, reason: "the pool is smaller than the receive ring") }
            self.rx = rx
            tx = E1000ETxQueue(
                ring: memory.transmitRing, pool: memory.pool.reference, doorbell: txDoorbell,
                maximumFrameByteCount: options.maximumFrameByteCount)
        } catch let error as DeviceError {
            throw .device(error)
        } catch let error as PortError {
            throw error
        } catch { throw .badOption("\(error)") }
        try E1000EBringUp.setUpFilters(registers, mac: macAddress)
        E1000EBringUp.clearStatistics(registers)
        try E1000EBringUp.waitForLink(registers, device: device, milliseconds: options.linkTimeoutMilliseconds)
        E1000EBringUp.startReceive(registers, ring: memory.receiveRingIOVA, count: options.receiveRingSize, options: options)
        rx.publishAll()
        E1000EBringUp.startTransmit(registers, ring: memory.transmitRingIOVA, count: options.transmitRingSize)
        afterBatch()
        if options.usesInterrupts { interrupt = try ReceiveInterrupt(device: device, registers: registers, options: options) }
        do { try registers.check() } catch { throw .device(error) }
    }

    deinit { try? stop() }

    // The data path.

    public func receive(into batch: inout PacketBatch) -> Int {
        // A model in this process moves frames first; hardware has done so already.
        if let progress { _ = progress.step() }
        let count = rx.receive(into: &batch)
        if forwardsDoorbells, count > 0 { registers.forwardTrappedDoorbells() }
        return count
    }

    public func send(_ batch: inout PacketBatch) -> Int {
        precondition(batch.pool == pool, "a batch of another port's pool")
        let count = tx.send(&batch)
        afterBatch()
        return count
    }

    /// What follows a batch: trapped doorbells go out, a model in this process takes a step.
    private func afterBatch() {
        if forwardsDoorbells { registers.forwardTrappedDoorbells() }
        if let progress { _ = progress.step() }
    }

    public func reclaim() {
        if let progress { _ = progress.step() }
        tx.reclaim()
    }

    // Everything else.

    public func waitForReceive(timeoutMilliseconds: Int32) throws(PortError) {
        let deadline = Deadline(afterMilliseconds: UInt64(max(0, timeoutMilliseconds)))
        if let interrupt {
            while !rx.hasReceived, !deadline.hasPassed {
                // Slices, so that a device that dies in its sleep is noticed.
                let woken = interrupt.sleep(progress: progress, timeoutMilliseconds: min(deadline.remainingMilliseconds, 250)) {
                    rx.hasReceived
                }
                if woken { return }
                try checkPresence()
            }
            return
        }
        var polls = 0
        while !rx.hasReceived, !deadline.hasPassed {
            if let progress { _ = progress.step() }
            polls &+= 1
            if polls & 63 == 0 { Processor.yield() } else { Processor.spinHint() }
        }
    }

    private func checkPresence() throws(PortError) {
        do {
            try device.checkPresence()
            try registers.check()
        } catch { throw .device(error) }
    }

    public func checkHealth() throws(PortError) {
        try checkPresence()
        guard registers.read(E1000E.status).bits != .max else {
            throw .device(registers.fault ?? .gone(device: url, reason: "register STATUS reads all-ones"))
        }
        guard linkIsUp else { throw .linkDown(url: url, milliseconds: 0) }
    }

    public var linkIsUp: Bool {
        let status = registers.read(E1000E.status)
        return status.bits != .max && status.contains(.linkUp)
    }

    public var counters: PortCounters {
        var all = PortCounters()
        all.receivedFrames = rx.counters.frames
        all.receivedBytes = rx.counters.bytes
        all.receiveLengthErrors = rx.counters.lengthErrors
        all.receiveErrors = rx.counters.frameErrors
        all.refillStarved = rx.counters.refillStarved
        all.sentFrames = tx.counters.frames
        all.sentBytes = tx.counters.bytes
        all.sendLengthErrors = tx.counters.lengthErrors
        return all
    }

    /// Lets what was sent go out, then quiets the device and takes every buffer back.
    public func stop() throws(PortError) {
        guard !isStopped else { return }
        isStopped = true
        defer {
            rx.takeBackBuffers()
            tx.takeBackBuffers()
        }
        do {
            try drainTransmit()
            interrupt = nil
            try device.disableInterrupts(.msix)
            try E1000EBringUp.quiet(registers, device: device)
            try memory.unmap()
            try E1000EPort.disableBusMaster(device)
        } catch let error as PortError {
            throw error
        } catch let error as DeviceError {
            throw .device(error)
        } catch { throw .badOption("\(error)") }
    }

    /// Waits, bounded, until the device has taken all descriptors. A device that does not is reset anyway.
    private func drainTransmit() throws(PortError) {
        let deadline = Deadline(afterMilliseconds: 50)
        while registers.read(E1000E.tdh[0]) != tx.tailIndex, registers.fault == nil, !deadline.hasPassed {
            afterBatch()
            Processor.yield()
        }
    }
}
