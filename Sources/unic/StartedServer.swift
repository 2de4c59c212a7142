import Synchronization
import VfioUser

/// The server that a signal has to stop, once there is one.
final class StartedServer: Sendable {
    private let held = Mutex<ServerControl?>(nil)
    var control: ServerControl? {
        get { held.withLock { $0 } }
        set { held.withLock { $0 = newValue } }
    }
    func stop() { control?.stop() }
}
