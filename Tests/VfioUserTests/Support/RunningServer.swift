import DeviceModel
import LinuxIO
import Synchronization
import Testing

@testable import VfioUser

/// A server of the toy model on a thread of its own; stopped with its owner.
final class RunningServer: Sendable {
    private static let counter = Atomic<Int>(0)
    let path: String
    let control: ServerControl
    private let thread: TestThread

    static func freshPath() -> String {
        "/tmp/unic-vfio-user-\(MonotonicClock.nanoseconds())-\(counter.add(1, ordering: .relaxed).newValue).sock"
    }

    init(_ options: ServerOptions = ServerOptions(), path: String = RunningServer.freshPath(), canBeSaved: Bool = true) throws {
        self.path = path
        let started = Started()
        thread = TestThread {
            do {
                let environment = try DeviceEnvironment(for: ToyModel.function)
                let model = ToyModel(environment: environment, canBeSaved: canBeSaved)
                let server = try VfioUserServer(model: model, environment: environment, socketPath: path, options: options)
                try server.serve { started.control.withLock { $0 = server.control } }
            } catch {
                started.failure.withLock { $0 = "\(error)" }
            }
        }
        let deadline = Deadline(afterMilliseconds: 10_000)
        while started.control.withLock({ $0 }) == nil, started.failure.withLock({ $0 }) == nil, !deadline.hasPassed {
            _ = waitForEvents([], timeoutMilliseconds: 1)
        }
        guard let control = started.control.withLock({ $0 }) else {
            thread.join()
            throw StartFailure(reason: started.failure.withLock { $0 } ?? "no start within 10 s")
        }
        self.control = control
    }

    struct StartFailure: Error { let reason: String }

    private final class Started: Sendable {
        let control = Mutex<ServerControl?>(nil)
        let failure = Mutex<String?>(nil)
    }

    deinit {
        control.stop()
        thread.join()
    }

    /// Waits until the published statistics are as wished.
    func eventually(_ condition: (ServerStatistics) -> Bool) -> Bool { VfioUserTests.eventually { condition(control.statistics) } }

    func device() throws -> VfioUserDevice { try VfioUserDevice(url: "vfio-user:\(path)", socketPath: path) }
}

/// Looks again for at most 5 s.
func eventually(_ condition: () -> Bool) -> Bool {
    let deadline = Deadline(afterMilliseconds: 5000)
    while !deadline.hasPassed {
        if condition() { return true }
        _ = waitForEvents([], timeoutMilliseconds: 2)
    }
    return condition()
}
