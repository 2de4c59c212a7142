import DeviceMemory
public import DeviceModel
public import LinuxIO
import NicRegisters
import VirtioModel

/// A modern virtio network device on PCI as a device model, on a wire: virtio 1.x only, split and packed rings, up to 8
/// queue pairs and a control queue.
///
/// The common configuration, interrupt status and device configuration are trapped; the page of notifications is memory
/// that the driver maps. Nobody looks into that page: a ring itself says what is new, so that the model reads rings when
/// it steps and asks to be notified only before its host sleeps.
///
/// Everything in rings, headers and commands is hostile. A queue whose ring breaks a rule is stopped for good, and the
/// device asks for a reset.
///
/// Left out: segmentation offloads, VLAN filters, hash reports, coalescing, in-order, notification data, legacy drivers.
public struct VirtioNetModel<W: Wire>: ~Copyable, DeviceModel {
    public let function: FunctionDescription
    public let options: VirtioNetOptions
    /// What went wrong or was given up, and frames; never cleared.
    public internal(set) var counters = VirtioNetCounters()

    let wire: W
    let environment: DeviceEnvironment
    let dma: DMASpace
    let permanentAddress: UInt64

    /// Owns `bounce` and the memory of `chains`.
    private let memory: DMAMemory
    /// One frame with its header, or a command, in memory of our own.
    let bounce: MemoryWindow
    var chains: DescriptorChains
    /// A received frame's buffers.
    var gathered: GatheredBuffers

    var transport: VirtioTransport
    var configuration: VirtioNetConfiguration
    var filter: VirtioNetFilter
    var steering: VirtioNetSteering
    /// Pairs that the driver uses; the transmit queues of the others are not looked at.
    var transmitPairs = 1
    /// The frame that waits for buffers is counted.
    var isStarving = false
    private var steps: UInt32 = 0

    /// - Parameters:
    ///   - wire: the cable; this model is its end's only user.
    ///   - macAddress: 48 bits, the first byte on the wire in bits 47:40.
    ///   - environment: made for ``functionDescription(_:)`` of the same options.
    public init(
        wire: W, macAddress: UInt64, options: VirtioNetOptions = VirtioNetOptions(), environment: DeviceEnvironment
    ) throws(SystemCallError) {
        self.wire = wire
        self.environment = environment
        self.options = options
        dma = environment.dma
        transport = VirtioTransport(options.offer, environment: environment)
        function = Self.functionDescription(options)
        permanentAddress = macAddress & 0xffff_ffff_ffff
        memory = try DMAMemory.ordinary(byteCount: Self.bounceByteCount + DescriptorChains.byteCount, name: "unic-virtio-net")
        bounce = memory.window.slice(at: 0, byteCount: Self.bounceByteCount)
        chains = DescriptorChains(memory: memory.window.slice(at: Self.bounceByteCount, byteCount: DescriptorChains.byteCount))
        gathered = GatheredBuffers()
        configuration = VirtioNetConfiguration(options, address: permanentAddress)
        filter = VirtioNetFilter(address: permanentAddress)
        steering = VirtioNetSteering()
        reset()
    }

    /// Room for the longest frame with its header, and for the longest command that is read whole.
    static var bounceByteCount: Int { 16384 }

    /// Power-on. The host resets the environment first, then the model.
    public mutating func reset() {
        transport.reset()
        resetDevice()
    }

    /// The transport was reset: all that the driver set up is gone.
    mutating func resetDevice() {
        counters.deviceResets &+= 1
        configuration.reset(options, address: permanentAddress, hasLink: wire.hasCarrier)
        steering.reset()
        transmitPairs = 1
        isStarving = false
        filter = VirtioNetFilter(address: permanentAddress)
        updateFilter()
    }

    // MARK: Stepping

    /// At most 64 frames received, 64 of each transmit queue and 16 commands.
    @_specialize(where W == SharedMemoryWire)
    @_specialize(where W == DescriptorWire)
    public mutating func progress() -> Bool {
        steps &+= 1
        if steps & 63 == 0 { checkLink() }
        guard transport.isRunning else { return discardReceived() }
        if transport.refreshQueues() { noteViolations() }
        var worked = stepReceive()
        for pair in 0..<transmitPairs where stepTransmit(pair) { worked = true }
        if stepControl() { worked = true }
        return worked
    }

    /// What arrives before the driver is ready is lost.
    private mutating func discardReceived() -> Bool {
        var count = 0
        while count < 64, wire.nextReceived() != nil {
            wire.dropReceived()
            count += 1
        }
        counters.framesWhileOff &+= UInt64(count)
        return count > 0
    }

    public var wantsPolling: Bool { transport.isRunning }

    /// Asks the driver for notifications; whoever hosts the model looks once more after that.
    public mutating func armWake() -> Int32? {
        setNotifications(true)
        return wire.armWake()
    }

    public mutating func disarmWake() {
        wire.disarmWake()
        setNotifications(false)
    }

    private mutating func setNotifications(_ areWanted: Bool) {
        if transport.isRunning, transport.refreshQueues() { noteViolations() }
        transport.setNotifications(areWanted)
    }

    // MARK: Violations

    /// Stops a queue's use if it broke a rule, and says so to the driver.
    mutating func noteViolation(of index: Int) {
        guard let violation = transport.takeViolation(of: index) else { return }
        counters.violations &+= 1
        counters.lastViolation = violation
        if transport.status.contains(.driverOK) { notifyConfiguration() }
    }

    mutating func noteViolations() { for index in transport.queues.indices { noteViolation(of: index) } }
}
