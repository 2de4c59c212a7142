import LinuxIO

/// Lines that come as time goes by, for any number of listeners.
public protocol LineSource: AnyObject, Sendable {
    /// Somebody listens from now on.
    /// - Returns: where it stands.
    func join() -> UInt64
    func leave()
    /// What came since; the position moves on.
    func lines(after position: inout UInt64) -> [UInt8]
}

/// A socket where lines are read for as long as one likes. A thread of its own sleeps until somebody comes, and looks
/// every 20 ms then; it takes nothing of the server's thread.
public final class LineSocket {
    private let desk: LineDesk
    private var thread: WorkerThread<Void>?

    /// Where a server's trace is told.
    public static func path(beside socketPath: String) -> String { socketPath + ".trace" }

    /// - Parameter path: at most 107 bytes.
    public init(at path: String, source: any LineSource) throws(ServerError) {
        let listener = try ListeningSocket(at: path)
        do throws(SystemCallError) {
            let desk = LineDesk(listener: listener, stop: try EventFD(), source: source)
            self.desk = desk
            thread = try WorkerThread { desk.run() }
        } catch { throw .systemCall(error) }
    }

    /// The file goes, too.
    deinit {
        desk.stop.signal()
        thread.take()?.join()
    }
}

/// Who listens, and what it has not read yet.
private final class LineListener {
    let socket: UnixSocket
    var position: UInt64
    var waiting: [UInt8] = []
    var sent = 0

    init(_ socket: consuming UnixSocket, at position: UInt64) {
        self.socket = socket
        self.position = position
    }

    /// Who does not read misses lines. False: it is gone.
    func send(_ source: any LineSource) -> Bool {
        if sent == waiting.count { (waiting, sent) = (source.lines(after: &position), 0) }
        do throws(SystemCallError) {
            while sent < waiting.count, let count = try socket.send(waiting, from: sent) { sent += count }
        } catch { return false }
        return true
    }
}

private final class LineDesk: Sendable {
    /// More are let go at once.
    static let maximumListeners = 8

    let listener: ListeningSocket
    let stop: EventFD
    let source: any LineSource

    init(listener: consuming ListeningSocket, stop: consuming EventFD, source: any LineSource) {
        self.listener = listener
        self.stop = stop
        self.source = source
    }

    func run() {
        var listeners: [LineListener] = []
        defer { for _ in listeners { source.leave() } }
        while true {
            let requests =
                [PollRequest(stop.number, .readable), PollRequest(listener.socket.number, .readable)]
                + listeners.map { PollRequest($0.socket.number, .peerClosed) }
            let events = waitForEvents(requests, timeoutMilliseconds: listeners.isEmpty ? -1 : 20)
            guard events[0].isEmpty else { return }
            let staying = zip(listeners, events.dropFirst(2)).filter { $1.isDisjoint(with: .gone) && $0.send(source) }.map(\.0)
            for _ in staying.count..<listeners.count { source.leave() }
            listeners = staying
            do throws(SystemCallError) {
                if !events[1].isEmpty, let client = try listener.socket.accept(), listeners.count < Self.maximumListeners {
                    listeners.append(LineListener(client, at: source.join()))
                }
            } catch {
                // Out of descriptors or memory: others may give some back; do not spin meanwhile.
                if !waitForEvents([PollRequest(stop.number, .readable)], timeoutMilliseconds: 100)[0].isEmpty { return }
            }
        }
    }
}
