import LinuxIO
import Synchronization
import VfioUser

/// A function that is served on a thread of its own: one that another server has, whose answers each access to it waits for. The
/// relay's thread waits for nobody.
final class ApartServer: Sendable {
    private enum State { case starting, open, ended(ServerError?) }

    /// The loop and its function belong to the thread from its start on.
    private struct Owned: @unchecked Sendable { let loop: ServerLoop }

    let control: ServerControl
    private let owned: Owned
    private let state = Mutex(State.starting)

    init(_ server: any ServedFunction, options: ServerOptions) throws(SystemCallError) {
        control = server.control
        owned = Owned(loop: try ServerLoop([server], options: options))
    }

    /// Returns when clients can connect, or throws why they cannot.
    func start() throws(ServerError) {
        do throws(SystemCallError) {
            // It ends with `stop()`.
            _ = try WorkerThread { [self] in
                var failure: ServerError?
                do throws(ServerError) { try owned.loop.serve { state.withLock { $0 = .open } } } catch { failure = error }
                state.withLock { $0 = .ended(failure) }
            }
        } catch { throw .systemCall(error) }
        while true {
            switch state.withLock({ $0 }) {
            case .starting: _ = waitForEvents([], timeoutMilliseconds: 1)
            case .open, .ended(nil): return
            case .ended(let failure?): throw failure
            }
        }
    }

    /// Ends it, and waits until its socket is gone; as long as a request of its takes at most.
    func stop() {
        control.stop()
        let deadline = Deadline(afterMilliseconds: 10_000)
        while !hasEnded, !deadline.hasPassed { _ = waitForEvents([], timeoutMilliseconds: 1) }
    }

    private var hasEnded: Bool {
        state.withLock { state in
            switch state {
            case .ended, .starting: true
            case .open: false
            }
        }
    }
}
