import DeviceMemory
public import DeviceModel
public import LinuxIO

/// Offers a device model at a socket, to one client after the other.
///
/// Everything that a client sends is hostile: it is answered with an error, or the client is dropped; the server goes on.
/// All of it runs on the thread that calls ``serve()``; other threads use ``control``.
public final class VfioUserServer<Model: DeviceModel & ~Copyable> {
    public let environment: DeviceEnvironment
    public let control: ServerControl
    let socketPath: String
    let options: ServerOptions
    let limits = MessageLimits()
    let function: FunctionDescription
    let memory: GuestMemory
    let sharesOneProcessor = Processor.usable.count < 2
    var model: Model
    var migration = Migration()
    /// There is one while a client wants to know what was written.
    var writeLog: WriteLog?
    var statistics = ServerStatistics() {
        didSet { hasNews = true }
    }
    private var hasNews = true
    /// What clients may signal instead of writing a notify register.
    let notification: EventFD
    /// Called when the client's memory became another, before the client hears of it.
    public var clientMemoryChanged: (() -> Void)? {
        get { memory.changed }
        set { memory.changed = newValue }
    }
    /// Who carries the client's memory on, range by range; nil: nobody has to.
    public var memoryCarrier: (any MemoryCarrier)?
    /// Called when the numbers are shown to other threads, whatever they are: for those who have more to show.
    public var publishing: (() -> Void)?
    /// Where clients knock, while the server is open.
    private(set) var listener: ListeningSocket?
    /// The client that is served.
    private(set) var session: ClientSession?
    /// The client's eventfds for device errors and for "please give the device back" (linux/vfio.h, VFIO_PCI_ERR_IRQ_INDEX,
    /// VFIO_PCI_REQ_IRQ_INDEX). Clients set them; hardware's host signals them, of models nobody but the client itself.
    var errorEvent: EventFD?
    var requestEvent: EventFD?

    /// - Parameters:
    ///   - environment: the one that the model was made with.
    ///   - clientMemory: where the client's memory becomes visible at the addresses that it names. nil: to the model itself,
    ///     as its DMA space; else somebody stands between the two, an IOMMU.
    ///   - socketPath: at most 107 bytes.
    public init(
        model: consuming Model, environment: DeviceEnvironment, clientMemory: DMASpace? = nil, socketPath: String,
        options: ServerOptions = ServerOptions()
    ) throws(SystemCallError) {
        control = try ServerControl()
        notification = try EventFD()
        function = model.function
        self.model = model
        self.environment = environment
        self.socketPath = socketPath
        self.options = options
        memory = GuestMemory(
            space: clientMemory ?? environment.dma, requiresSealedMemory: options.requiresSealedMemory, keepsFiles: options.keepsMemoryFiles
        )
    }

    /// Serves until ``ServerControl/stop()``, alone on this thread. The socket file goes with it.
    /// - Parameter ready: called once clients can connect.
    public func serve(ready: () -> Void = {}) throws(ServerError) {
        let loop: ServerLoop
        do throws(SystemCallError) { loop = try ServerLoop([self], options: options) } catch { throw .systemCall(error) }
        try loop.serve(ready: ready)
    }

    /// Serves one client on a connection that exists already, until it hangs up.
    public func serve(connection: consuming UnixSocket) throws(SystemCallError) {
        let loop = try ServerLoop([self], options: options)
        begin(ClientSession(socket: connection, limits: limits))
        loop.run { session != nil }
        close()
    }

    public func open() throws(ServerError) { listener = try ListeningSocket(at: socketPath) }

    public func close() {
        if let session { end(session) }
        listener = nil
    }

    /// Somebody knocks: the next client, or one too many.
    func meetNewcomer() {
        // Whoever hung up before the newcomer came makes room for it.
        if let session,
            !waitForEvents([PollRequest(session.channel.socketNumber, .peerClosed)], timeoutMilliseconds: 0)[0]
                .isDisjoint(with: .gone)
        {
            end(session)
        }
        guard let client = accept() else { return }
        guard session == nil else {
            statistics.refusedConnections &+= 1
            return
        }
        begin(ClientSession(socket: client, limits: limits))
    }

    private func accept() -> UnixSocket? {
        do throws(SystemCallError) {
            return try listener?.socket.accept()
        } catch {
            // Out of descriptors or memory: others may give some back; do not spin meanwhile.
            statistics.lastFault = error.description
            _ = waitForEvents([PollRequest(control.stopDescriptor, .readable)], timeoutMilliseconds: 10)
            return nil
        }
    }

    private func begin(_ session: ClientSession) {
        self.session = session
        memory.owner = session.channel
        statistics.connections &+= 1
        statistics.isConnected = true
        publish()
    }

    /// "Client Disconnection": all of its memory and descriptors go back, and the device is as new for the next one.
    func end(_ session: ClientSession) {
        self.session = nil
        if let fault = session.fault {
            statistics.brokenConnections &+= 1
            statistics.lastFault = fault
        }
        environment.interrupts.disconnectAll()
        forgetNotices()
        resetDevice()
        memoryCarrier?.clientLeft()
        memory.unmapAll()
        writeLog = nil
        memory.owner = nil
        statistics.isConnected = false
        publish()
    }

    /// Power-on state. The client's memory stays mapped and its eventfds stay connected, as a reset of hardware leaves the
    /// IOMMU and VFIO alone (QEMU maps memory first and resets then).
    func resetDevice() {
        environment.resetToPowerOn()
        model.reset()
        migration = Migration()
    }

    public func publish() {
        publishing?()
        guard hasNews || statistics.interrupts != environment.interrupts.signalCount else { return }
        hasNews = false
        statistics.interrupts = environment.interrupts.signalCount
        statistics.maps = memory.rangeCount
        statistics.mappedByteCount = memory.mappedByteCount
        statistics.mappedFiles = memory.fileCount
        control.publish(statistics)
    }
}
