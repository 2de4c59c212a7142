import DeviceMemory
public import DeviceModel
public import LinuxIO
import NicRegisters

/// A virtual function of the Intel 82576 as a device model, with the PF behind it, on a wire.
///
/// Registers, mail and descriptors are NicRegisters' `Igbvf`, which the driver uses too. The two register pages with the
/// rings are memory that the driver maps: the model reads them when it steps and takes every number in them for hostile.
/// The PF reads its mail inside of the write that tells it to.
///
/// Left out: header split, segmentation, insertion of tags, time stamps, and receive queue 1, to which Linux' PF sends
/// nothing. A frame goes to the wire and never to another function of the same device.
public struct IgbvfModel<W: Wire>: ~Copyable, DeviceModel {
    public let function: FunctionDescription
    /// What went wrong or was given up, and frames; never cleared.
    public internal(set) var counters = E1000ECounters()
    /// Defects that a test asks for.
    public var faults = IgbvfFaultPlan() { didSet { hasFaults = faults.isActive } }
    var hasFaults = false

    let wire: W
    let environment: DeviceEnvironment
    let dma: DMASpace
    /// Owns the memory of `registers`, the assembly buffers and the receive bounce buffer.
    let memory: DMAMemory
    var registers: E1000ERegisterFile
    /// The pages that driver and model share.
    let shared: E1000ESharedRegisters
    /// One frame, for what has to be changed before it goes on.
    let bounce: MemoryWindow

    var physical: IgbvfPhysicalFunction
    var mailbox: Igbvf.Mailbox = []
    var interrupt = IgbvfInterruptState()
    var transmit: InlineArray<2, IgbvfTransmitQueue>
    var msixTable: [UInt32]
    /// What the wire was told; nil before the first time.
    var announced: UInt64??

    /// - Parameters:
    ///   - wire: the cable; this model is its end's only user.
    ///   - macAddress: the address that the PF gives the function, 48 bits, the first byte on the wire in bits 47:40; 0: none.
    ///   - environment: made for ``functionDescription``.
    ///   - isTrusting: the PF lets the function have other addresses than the one it gave.
    public init(wire: W, macAddress: UInt64, environment: DeviceEnvironment, isTrusting: Bool = true) throws(SystemCallError) {
        self.wire = wire
        self.environment = environment
        dma = environment.dma
        function = igbvfFunctionDescription
        physical = IgbvfPhysicalFunction(assignedAddress: macAddress & 0xffff_ffff_ffff, isTrusting: isTrusting)
        msixTable = Self.freshMSIXTable

        let assembly = IgbvfTransmitQueue.capacity
        memory = try DMAMemory.ordinary(
            byteCount: E1000ERegisterFile.byteCount + 2 * assembly + Self.bounceByteCount, name: "unic-igbvf")
        let window = memory.window
        registers = E1000ERegisterFile(window: window.slice(at: 0, byteCount: E1000ERegisterFile.byteCount), rows: Igbvf.allRows)
        let first = window.slice(at: E1000ERegisterFile.byteCount, byteCount: assembly)
        let second = window.slice(at: E1000ERegisterFile.byteCount + assembly, byteCount: assembly)
        transmit = [IgbvfTransmitQueue(buffer: first), IgbvfTransmitQueue(buffer: second)]
        bounce = window.slice(at: E1000ERegisterFile.byteCount + 2 * assembly, byteCount: Self.bounceByteCount)
        shared = E1000ESharedRegisters(environment.memoryAreas(of: Igbvf.PCI.registerBAR)[0].window)
        reset()
    }

    /// Room for the longest frame, in whole words.
    static var bounceByteCount: Int { 9216 }

    /// The host resets the environment first, then the model. The PF is up and waits for a handshake.
    public mutating func reset() {
        msixTable = Self.freshMSIXTable
        registers.reset()
        mailbox = []
        resetFunction()
    }

    /// CTRL.RST: queues and interrupts off; the PF hears of it.
    mutating func resetFunction() {
        shared.reset(rows: Igbvf.allRows)
        interrupt = IgbvfInterruptState()
        for queue in 0..<Igbvf.queueCount { transmit[queue].reset() }
        physical.functionWasReset()
        announceFilter()
    }

    // MARK: The PF

    /// The PF goes down: it says so, then forgets the function, whose registers are zeroed with its own.
    public mutating func resetPhysicalFunction() {
        physical.reset()
        registers.reset()
        shared.reset(rows: Igbvf.allRows)
        interrupt = IgbvfInterruptState()
        for queue in 0..<Igbvf.queueCount { transmit[queue].reset() }
        mailbox = .resetInProgress
        announceFilter()
    }

    /// The PF is up again, and asks for a handshake.
    public mutating func returnPhysicalFunction() {
        mailbox.remove(.resetInProgress)
        mailbox.insert([.resetDone, .physicalWrote])
        registers.store32(Igbvf.MessageHeader(.control).bits, at: Igbvf.vmbmem[0].offset)
    }

    mutating func announceFilter() {
        let wanted = physical.onlyUnicast
        if announced != .some(wanted) {
            announced = .some(wanted)
            wire.announceFilter(unicast: wanted)
        }
    }

    // MARK: Stepping

    /// Without bus mastering no DMA; without a handshake the PF keeps both directions off (VFRE, VFTE).
    var mayMoveFrames: Bool { environment.isBusMaster && physical.isClearToSend && !mailbox.contains(.resetInProgress) }

    /// At most 64 received frames and 64 descriptors a transmit queue.
    @_specialize(where W == SharedMemoryWire)
    @_specialize(where W == DescriptorWire)
    public mutating func progress() -> Bool {
        if hasFaults, faults.allOnes { return false }
        if interrupt.retryNanoseconds != 0 { retryThrottledInterrupts() }
        guard mayMoveFrames else { return discardReceived() }
        var worked = stepReceive()
        for queue in 0..<Igbvf.queueCount where stepTransmit(queue) { worked = true }
        return worked
    }

    /// What arrives while receive is off is lost.
    mutating func discardReceived() -> Bool {
        var count = 0
        while count < 64, wire.nextReceived() != nil {
            wire.dropReceived()
            count += 1
        }
        counters.framesWhileOff &+= UInt64(count)
        return count > 0
    }

    public var wantsPolling: Bool { mayMoveFrames }
    public mutating func armWake() -> Int32? { wire.armWake() }
    public mutating func disarmWake() { wire.disarmWake() }
}
