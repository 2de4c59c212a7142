import LinuxIO

/// A second socket beside a server's own, at `PATH.status`: whoever connects gets one document and the end.
///
/// A thread of its own sleeps until somebody comes, and serves one after the other. It takes nothing of the server's thread
/// but what the document takes, and a client that does not read is left after a second.
public final class StatusSocket {
    private let desk: StatusDesk
    private var thread: WorkerThread<Void>?

    /// Where a server's status is told.
    public static func path(beside socketPath: String) -> String { socketPath + ".status" }

    /// - Parameters:
    ///   - socketPath: the server's own; with `.status` behind it at most 107 bytes.
    ///   - document: made for each client, on the status' thread.
    public init(beside socketPath: String, document: @escaping @Sendable () -> [UInt8]) throws(ServerError) {
        let listener = try ListeningSocket(at: Self.path(beside: socketPath))
        do throws(SystemCallError) {
            let desk = StatusDesk(listener: listener, stop: try EventFD(), document: document)
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

/// What the thread works on.
private final class StatusDesk: Sendable {
    /// A document fits into a socket's buffer: only who comes while it is full has to read for it.
    static let clientMilliseconds: UInt64 = 1000

    let listener: ListeningSocket
    let stop: EventFD
    let document: @Sendable () -> [UInt8]

    init(listener: consuming ListeningSocket, stop: consuming EventFD, document: @escaping @Sendable () -> [UInt8]) {
        self.listener = listener
        self.stop = stop
        self.document = document
    }

    func run() {
        while wait(for: PollRequest(listener.socket.number, .readable), timeoutMilliseconds: -1) {
            do throws(SystemCallError) {
                if let client = try listener.socket.accept() { serve(client) }
            } catch {
                // Out of descriptors or memory: others may give some back; do not spin meanwhile.
                if !wait(for: nil, timeoutMilliseconds: 100) { return }
            }
        }
    }

    private func serve(_ client: borrowing UnixSocket) {
        let bytes = document()
        let deadline = Deadline(afterMilliseconds: Self.clientMilliseconds)
        var done = 0
        while done < bytes.count, !deadline.hasPassed {
            do throws(SystemCallError) {
                if let count = try client.send(bytes, from: done) {
                    done += count
                    continue
                }
            } catch { return }
            guard wait(for: PollRequest(client.number, .writable), timeoutMilliseconds: deadline.remainingMilliseconds) else { return }
        }
    }

    /// False: the status ends.
    private func wait(for request: PollRequest?, timeoutMilliseconds: Int32) -> Bool {
        let requests = [PollRequest(stop.number, .readable)] + (request.map { [$0] } ?? [])
        return waitForEvents(requests, timeoutMilliseconds: timeoutMilliseconds)[0].isEmpty
    }
}
