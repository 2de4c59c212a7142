public import IOMMURelay
import Synchronization

/// What other threads see of a relay's IOMMU: a copy that its own thread makes when it is about to sleep.
public final class PublishedRelay: Sendable {
    private struct Shown {
        var statistics = RelayStatistics()
        var refusals: [IOMMURefusal] = []
    }

    private let told = Mutex<[String]>([])
    private let shown = Mutex(Shown())
    private nonisolated(unsafe) weak var core: IOMMUCore?

    init(_ core: IOMMUCore) {
        // SAFETY: only `update()` looks at it, which the core's own thread calls.
        unsafe self.core = core
    }

    func update() {
        // SAFETY: called by the thread that the core belongs to.
        guard let core = unsafe core else { return }
        let now = Shown(statistics: core.statistics, refusals: core.lastRefusals)
        shown.withLock { $0 = now }
    }

    func add(trouble: String) {
        told.withLock { troubles in
            if troubles.count == 8 { troubles.removeFirst() }
            troubles.append(trouble)
        }
    }

    /// What keeps, or kept, the guest waiting; the newest last.
    public var troubles: [String] { told.withLock { $0 } }
    public var statistics: RelayStatistics { shown.withLock { $0.statistics } }
    /// Why requests were refused or failed, the newest last.
    public var refusals: [IOMMURefusal] { shown.withLock { $0.refusals } }
}
