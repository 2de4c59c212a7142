import DeviceMemory
public import DeviceModel
public import LinuxIO
import NicRegisters

/// The Intel 82574L as a device model: one function, two transmit and two receive queues, on a wire.
///
/// Registers, descriptors and their meaning are NicRegisters' `E1000E`, which the driver uses too. The two register
/// pages with the rings (RDBAL… and TDBAL…) are memory that the driver maps: the model reads them when it steps and
/// takes every number in them for hostile. All others are trapped and have their side effects at once.
///
/// Left out, as neither driver needs it: flash (BAR 1; Linux maps it on ICH parts only), packet split,
/// the delay timers RDTR, RADV, TIDV and TADV (interrupts come at once; ITR and EITR throttle),
/// ACK interrupts, PAUSE frames, time stamps, wake-up, management.
public struct E1000EModel<W: Wire>: ~Copyable, DeviceModel {
    public let function: FunctionDescription
    /// What went wrong or was given up, and frames; never cleared.
    public internal(set) var counters = E1000ECounters()
    /// Defects that a test asks for.
    public var faults = FaultPlan() { didSet { hasFaults = faults.isActive } }
    var hasFaults = false

    let wire: W
    let environment: DeviceEnvironment
    let dma: DMASpace
    let permanentAddress: UInt64

    /// Owns the memory of `registers`, the assembly buffers and the receive bounce buffer.
    let memory: DMAMemory
    var registers: E1000ERegisterFile
    /// The pages that driver and model share.
    let shared: E1000ESharedRegisters

    var statistics = E1000EStatistics()
    var phy = E1000EPHYModel()
    var nvm: E1000ENVMModel
    var filter = E1000EFilter()
    var receive = E1000EReceiveSettings()
    var interrupt = E1000EInterruptState()
    var transmit: InlineArray<2, E1000ETransmitQueue>
    /// One frame, for what has to be changed before it goes on.
    let bounce: MemoryWindow
    /// A completion that the fault plan repeats at the next step.
    var repeatedCompletion: (address: UInt64, word1: UInt64)?

    var msixTable: [UInt32]
    var ioAddress: UInt32 = 0
    /// Bus mastering is on in config space, and CTRL.GIO_MASTER_DISABLE is off.
    var mayAccessMemory = false
    var isTransmitEnabled = false
    var padsShortFrames = false
    var isLinkUp = false
    var powerState: UInt8 = 0
    private var steps: UInt32 = 0

    /// - Parameters:
    ///   - wire: the cable; this model is its end's only user.
    ///   - macAddress: 48 bits, the first byte on the wire in bits 47:40. What NVM and receive address 0 hold.
    ///   - environment: made for ``functionDescription``.
    public init(wire: W, macAddress: UInt64, environment: DeviceEnvironment) throws(SystemCallError) {
        self.wire = wire
        self.environment = environment
        dma = environment.dma
        function = e1000eFunctionDescription
        permanentAddress = macAddress & 0xffff_ffff_ffff
        nvm = E1000ENVMModel(macAddress: macAddress)
        msixTable = E1000EModel.freshMSIXTable

        let assembly = E1000ETransmitQueue.capacity
        memory = try DMAMemory.ordinary(
            byteCount: E1000ERegisterFile.byteCount + 2 * assembly + E1000EModel.bounceByteCount, name: "unic-e1000e")
        let window = memory.window
        registers = E1000ERegisterFile(window: window.slice(at: 0, byteCount: E1000ERegisterFile.byteCount))
        let first = window.slice(at: E1000ERegisterFile.byteCount, byteCount: assembly)
        let second = window.slice(at: E1000ERegisterFile.byteCount + assembly, byteCount: assembly)
        transmit = [E1000ETransmitQueue(buffer: first), E1000ETransmitQueue(buffer: second)]
        bounce = window.slice(at: E1000ERegisterFile.byteCount + 2 * assembly, byteCount: E1000EModel.bounceByteCount)
        shared = E1000ESharedRegisters(environment.memoryAreas(of: E1000E.PCI.registerBAR)[0].window)
        reset()
    }

    /// Room for the longest frame with its FCS, in whole words.
    static var bounceByteCount: Int { 9216 }

    /// The host resets the environment first, then the model.
    public mutating func reset() {
        msixTable = E1000EModel.freshMSIXTable
        ioAddress = 0
        powerState = 0
        phy = E1000EPHYModel()
        resetController()
    }

    /// All but PCI configuration, PHY and NVM: CTRL.RST.
    mutating func resetController() {
        registers.reset()
        shared.reset()
        statistics = E1000EStatistics()
        interrupt = E1000EInterruptState()
        for queue in 0..<E1000E.queueCount { transmit[queue].reset() }
        repeatedCompletion = nil
        loadPermanentAddress()
        updateReceiveSettings()
        updateTransmitSettings()
        updateMemoryAccess()
        updateFilter()
        isLinkUp = false
        checkLink()
    }

    // MARK: Stepping

    /// At most 64 received frames and 64 descriptors a transmit queue.
    @_specialize(where W == SharedMemoryWire)
    @_specialize(where W == DescriptorWire)
    public mutating func progress() -> Bool {
        if hasFaults {
            if faults.allOnes { return false }
            repeatCompletion()
        }
        steps &+= 1
        if steps & 63 == 0 { checkLink() }
        if interrupt.retryNanoseconds != 0 { retryThrottledInterrupts() }
        guard mayAccessMemory else { return discardReceived() }
        var worked = receive.isEnabled ? stepReceive() : discardReceived()
        if isTransmitEnabled {
            for queue in 0..<E1000E.queueCount where stepTransmit(queue) { worked = true }
        }
        return worked
    }

    /// What arrives while receive is off is lost.
    private mutating func discardReceived() -> Bool {
        var count = 0
        while count < 64, wire.nextReceived() != nil {
            wire.dropReceived()
            count += 1
        }
        counters.framesWhileOff &+= UInt64(count)
        return count > 0
    }

    public var wantsPolling: Bool { mayAccessMemory && (receive.isEnabled || isTransmitEnabled) }
    public mutating func armWake() -> Int32? { wire.armWake() }
    public mutating func disarmWake() { wire.disarmWake() }
}

/// What a model met. All numbers only grow.
public struct E1000ECounters: Equatable, Sendable {
    /// Frames written to the driver, and frames given to the wire.
    public var framesReceived: UInt64 = 0
    public var framesSent: UInt64 = 0
    /// Accesses to addresses that are not mapped or not permitted.
    public var dmaFaults: UInt64 = 0
    /// Descriptors of an unknown type, with impossible lengths or checksum ranges, and null ones that starved a frame.
    public var badDescriptors: UInt64 = 0
    /// Steps on which a ring's length, head or tail was impossible.
    public var badRings: UInt64 = 0
    /// Frames of the driver that were too short, too long, or faulted.
    public var framesNotSent: UInt64 = 0
    /// Frames that no filter wanted.
    public var framesFiltered: UInt64 = 0
    /// Frames that came while receive was off.
    public var framesWhileOff: UInt64 = 0
    public init() {}
}
