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
    /// When an asleep server looks at its model.
    var lookTimer: IntervalTimer
    /// The client's eventfds for device errors and for "please give the device back" (linux/vfio.h, VFIO_PCI_ERR_IRQ_INDEX,
    /// VFIO_PCI_REQ_IRQ_INDEX). Clients set them; nothing here signals them but the client itself.
    var errorEvent: EventFD?
    var requestEvent: EventFD?

    /// - Parameters:
    ///   - environment: the one that the model was made with.
    ///   - socketPath: at most 107 bytes.
    public init(
        model: consuming Model, environment: DeviceEnvironment, socketPath: String, options: ServerOptions = ServerOptions()
    ) throws(SystemCallError) {
        control = try ServerControl()
        notification = try EventFD()
        lookTimer = try IntervalTimer()
        function = model.function
        self.model = model
        self.environment = environment
        self.socketPath = socketPath
        self.options = options
        memory = GuestMemory(space: environment.dma, requiresSealedMemory: options.requiresSealedMemory)
    }

    /// Serves until ``ServerControl/stop()``. The socket file goes with it.
    /// - Parameter ready: called once clients can connect.
    public func serve(ready: () -> Void = {}) throws(ServerError) {
        let listener = try ListeningSocket(at: socketPath)
        ready()
        while !control.isStopRequested {
            let events = waitForEvents(
                [PollRequest(listener.socket.number, .readable), PollRequest(control.stopDescriptor, .readable)], timeoutMilliseconds: -1)
            if !events[1].isEmpty { control.noticeSignal() }
            guard !events[0].isEmpty, let client = accept(listener) else { continue }
            serve(client, refusingAt: listener)
        }
        publish()
    }

    /// Serves one client on a connection that exists already, until it hangs up.
    public func serve(connection: consuming UnixSocket) {
        var session = ClientSession(socket: connection, limits: limits)
        begin(session)
        while run(&session) {}
        end(session)
    }

    private func serve(_ client: consuming UnixSocket, refusingAt listener: borrowing ListeningSocket) {
        var session = ClientSession(socket: client, limits: limits)
        session.listenerNumber = listener.socket.number
        begin(session)
        while run(&session) {
            guard session.sawNewcomer else { continue }
            session.sawNewcomer = false
            // Whoever hung up before the newcomer came makes room for it.
            if !waitForEvents([PollRequest(session.channel.socketNumber, .peerClosed)], timeoutMilliseconds: 0)[0].isDisjoint(with: .gone) {
                break
            }
            if accept(listener) != nil { statistics.refusedConnections &+= 1 }
        }
        end(session)
    }

    private func accept(_ listener: borrowing ListeningSocket) -> UnixSocket? {
        do throws(SystemCallError) {
            return try listener.socket.accept()
        } catch {
            // Out of descriptors or memory: others may give some back; do not spin meanwhile.
            statistics.lastFault = error.description
            _ = waitForEvents([PollRequest(control.stopDescriptor, .readable)], timeoutMilliseconds: 10)
            return nil
        }
    }

    private func begin(_ session: borrowing ClientSession) {
        memory.owner = session.channel
        statistics.connections &+= 1
        statistics.isConnected = true
        publish()
    }

    /// "Client Disconnection": all of its memory and descriptors go back, and the device is as new for the next one.
    private func end(_ session: borrowing ClientSession) {
        if let fault = session.fault {
            statistics.brokenConnections &+= 1
            statistics.lastFault = fault
        }
        lookTimer.set(milliseconds: 0)
        environment.interrupts.disconnectAll()
        errorEvent = nil
        requestEvent = nil
        resetDevice()
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

    func publish() {
        guard hasNews || statistics.interrupts != environment.interrupts.signalCount else { return }
        hasNews = false
        statistics.interrupts = environment.interrupts.signalCount
        statistics.maps = memory.rangeCount
        statistics.mappedByteCount = memory.mappedByteCount
        statistics.mappedFiles = memory.fileCount
        control.publish(statistics)
    }
}
