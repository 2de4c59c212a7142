import Devices
import IOMMURelay
import LinuxIO
import RelayPlan
import Synchronization
import Testing
import VfioUser

/// A relay in a thread of this process: for plans whose functions are models standing in for a host's.
final class ServedRelay {
    private struct Shown: Sendable {
        var control: ServerControl?
        var published: [PublishedRelay] = []
        var isReady = false
        var failure: String?
    }

    private final class Box: Sendable { let shown = Mutex(Shown()) }

    /// Of each IOMMU.
    let published: [PublishedRelay]
    private let control: ServerControl
    private var thread: WorkerThread<Void>?

    init(_ plan: RelayPlan, devices: [String: DeviceURL]) throws {
        let box = Box()
        thread = try WorkerThread {
            do {
                let relay = try Relay(plan, devices: devices)
                box.shown.withLock { ($0.control, $0.published) = (relay.control, relay.iommus.map(\.published)) }
                try relay.serve { box.shown.withLock { $0.isReady = true } }
            } catch { box.shown.withLock { $0.failure = "\(error)" } }
        }
        let deadline = Deadline(afterMilliseconds: 10_000)
        while !box.shown.withLock({ $0.isReady || $0.failure != nil }), !deadline.hasPassed { sleepMicroseconds(1000) }
        let shown = box.shown.withLock { $0 }
        control = try #require(shown.control, "\(shown.failure ?? "it did not start")")
        published = shown.published
    }

    /// Ends it.
    func stop() {
        control.stop()
        thread.take()?.join()
    }
}
