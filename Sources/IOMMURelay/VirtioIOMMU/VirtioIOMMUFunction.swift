import DeviceMemory
public import DeviceModel
public import LinuxIO
import NicRegisters
public import VirtioModel

/// A virtio-iommu function on PCI as a device model: virtio 1.3 §5.13, modern only, split rings. Its requests are carried
/// out by an ``IOMMURequestHandler``; what the driver sees of the device is made here.
///
/// It stands behind no IOMMU itself: its rings and buffers are guest-physical addresses of the environment's space.
///
/// Notifications are trapped: a driver waits for the answer of a request by spinning on the used ring, so that the write
/// of a notification has to wake whoever hosts the function at once, which mapped memory does not. While the host is
/// awake it looks at the ring by itself and the driver is asked (EVENT_IDX) not to notify.
///
/// Everything in rings and requests is hostile: each word is read once, a request is copied and then judged. A queue
/// whose ring breaks a rule is stopped, and the device asks for a reset.
public struct VirtioIOMMUFunction: ~Copyable, DeviceModel {
    public let function: FunctionDescription
    /// What went by and what went wrong; never cleared.
    public internal(set) var counters = VirtioIOMMUCounters()

    let handler: any IOMMURequestHandler
    let environment: DeviceEnvironment
    let dma: DMASpace
    var transport: VirtioTransport
    private let initialBypass: Bool
    /// What the driver was shown, to tell it of changes.
    var shownConfiguration: IOMMUConfiguration

    /// Owns the windows below.
    private let memory: DMAMemory
    /// A request's bytes, copied once.
    let requestBytes: MemoryWindow
    /// What is written into an answer or an event.
    let answerBytes: MemoryWindow
    /// Pieces of the current request.
    var chains: DescriptorChains
    /// Pieces of an event's buffer: a request may be under way meanwhile.
    var eventChains: DescriptorChains
    /// The request that the handler is at.
    var current: PendingAnswer?
    /// Requests that wait for others which continue them.
    var run = RequestRun()
    /// Where their answers go.
    var runChains: DescriptorChains
    /// How many requests a second are looked at; nil: as many as there are.
    var pace: RequestPace?
    let clock: () -> UInt64
    var kickWatch = KickWatch()
    /// Told of what keeps the guest waiting.
    private let troubled: ((VirtioIOMMUTrouble) -> Void)?
    /// A fault for which there was no buffer that is large enough.
    var waitingFault: IOMMUFault?

    /// - Parameters:
    ///   - handler: its ``IOMMURequestHandler/bypassesUnattached`` now is what a system reset restores.
    ///   - environment: made for ``functionDescription()``; its space is guest-physical memory.
    ///   - offersIndirect: a driver that takes indirect descriptors has room for twice as many requests at once, and allocates and
    ///     frees a table for each: Linux needs a tenth more time then.
    ///   - requestsASecond: a limit for the guest; nil: none.
    ///   - clock: monotonic, in nanoseconds.
    ///   - troubled: told of what keeps the guest waiting, for a person.
    public init(
        handler: any IOMMURequestHandler, environment: DeviceEnvironment, offersIndirect: Bool = true, requestsASecond: UInt64? = nil,
        clock: @escaping () -> UInt64 = MonotonicClock.nanoseconds, troubled: ((VirtioIOMMUTrouble) -> Void)? = nil
    ) throws(SystemCallError) {
        precondition(
            Int(handler.configuration.probeByteCount) <= Self.maximumAnswerByteCount - VirtioIOMMULayout.Tail.byteCount,
            "properties that fit in no answer")
        self.handler = handler
        pace = requestsASecond.map { RequestPace(requestsASecond: $0) }
        self.clock = clock
        self.troubled = troubled
        self.environment = environment
        dma = environment.dma
        function = Self.functionDescription()
        initialBypass = handler.bypassesUnattached
        shownConfiguration = handler.configuration
        var offer = Self.offer
        if !offersIndirect { offer.features.remove(.indirectDescriptors) }
        transport = VirtioTransport(offer, environment: environment)
        let request = 128
        let chain = DescriptorChains.byteCount
        memory = try DMAMemory.ordinary(byteCount: request + Self.maximumAnswerByteCount + 3 * chain, name: "unic-virtio-iommu")
        requestBytes = memory.window.slice(at: 0, byteCount: request)
        answerBytes = memory.window.slice(at: request, byteCount: Self.maximumAnswerByteCount)
        chains = DescriptorChains(memory: memory.window.slice(at: request + Self.maximumAnswerByteCount, byteCount: chain))
        eventChains = DescriptorChains(memory: memory.window.slice(at: request + Self.maximumAnswerByteCount + chain, byteCount: chain))
        runChains = DescriptorChains(memory: memory.window.slice(at: request + Self.maximumAnswerByteCount + 2 * chain, byteCount: chain))
    }

    /// The function as its host sees it. A ``DeviceEnvironment`` is made from it.
    public static func functionDescription() -> FunctionDescription { offer.functionDescription() }

    /// The longest part of a buffer that is written; a longer one is no request's.
    static var maximumAnswerByteCount: Int { 16384 }
    /// Requests in one step, so that other connections are served in between.
    static var requestsAStep: Int { 64 }

    private static var offer: VirtioOffer {
        // Class: system peripheral, IOMMU (pci.ids, class 08 subclass 06).
        var offer = VirtioOffer(
            device: Virtio.PCI.iommuDevice, classCode: 0x08_0600,
            features: [
                .version1, .eventIndex, .indirectDescriptors, .iommuInputRange, .iommuDomainRange, .iommuMapUnmap, .iommuProbe,
                .iommuBypassConfig,
            ],
            required: .version1, queueSizes: [1024, 256], configByteCount: VirtioIOMMULayout.Config.byteCount)
        offer.isRootComplexIntegrated = true
        return offer
    }

    // MARK: Resets

    /// System reset. The host resets the environment first.
    public mutating func reset() {
        transport.reset()
        resetDevice()
        handler.bypassesUnattached = initialBypass
    }

    /// The transport was reset: nothing of the driver's is touched from now on, and endpoints are attached to nothing.
    /// "Field bypass SHOULD NOT change on device reset."
    mutating func resetDevice() {
        counters.deviceResets &+= 1
        current = nil
        kickWatch = KickWatch()
        run.removeAll()
        runChains.removeAll()
        waitingFault = nil
        chains.removeAll()
        eventChains.removeAll()
        handler.reset()
    }

    // MARK: Stepping

    /// At most 64 requests and 64 events.
    public mutating func progress() -> Bool {
        if handler.hasDeferredWork, current == nil, !run.isUnderWay { handler.carryOutDeferred(at: clock()) }
        guard transport.isRunning else { return false }
        if transport.refreshQueues() { noteViolations() }
        let allowance = pace?.allowance(at: clock())
        var worked = stepRequests(atMost: allowance.map { min(Int($0), Self.requestsAStep) } ?? Self.requestsAStep)
        if kickWatch.isWaiting, let trouble = kickWatch.trouble(at: clock()) { troubled?(trouble) }
        if stepEvents() { worked = true }
        return worked
    }

    /// Notifications are trapped: nobody has to look, unless something waits for its time.
    public var wantsPolling: Bool { handler.hasDeferredWork || pace?.isEmpty == true || kickWatch.isWaiting }

    /// Asks the driver for notifications; whoever hosts the function looks once more after that.
    public mutating func armWake() -> Int32? {
        setNotifications(true)
        return nil
    }

    public mutating func disarmWake() { setNotifications(false) }

    private mutating func setNotifications(_ areWanted: Bool) {
        if transport.isRunning, transport.refreshQueues() { noteViolations() }
        transport.setNotifications(areWanted)
    }

    // MARK: Violations

    /// Says to the driver that a queue broke a rule.
    mutating func noteViolation(of index: Int) {
        guard let violation = transport.takeViolation(of: index) else { return }
        counters.violations &+= 1
        counters.lastViolation = violation
        troubled?(.queueStopped(index, violation))
        if transport.status.contains(.driverOK), transport.interruptForConfiguration() { counters.interrupts &+= 1 }
    }

    mutating func noteViolations() { for index in transport.queues.indices { noteViolation(of: index) } }
}

/// What a function met. All numbers only grow.
public struct VirtioIOMMUCounters: Equatable, Sendable {
    /// Requests that were answered.
    public var requests: UInt64 = 0
    /// Of those, the ones whose answer was not OK.
    public var requestsRefused: UInt64 = 0
    /// Buffers that were no request: given back with nothing written.
    public var unknownRequests: UInt64 = 0
    /// Times that answers were shown to the driver.
    public var batches: UInt64 = 0
    public var faultsReported: UInt64 = 0
    /// Buffers of the event queue that were too small for a report.
    public var eventBuffersTooSmall: UInt64 = 0
    public var interrupts: UInt64 = 0
    public var deviceResets: UInt64 = 0
    /// Queues that were stopped, and why the last one was.
    public var violations: UInt64 = 0
    public var lastViolation: VirtqueueViolation?
    public init() {}
}
