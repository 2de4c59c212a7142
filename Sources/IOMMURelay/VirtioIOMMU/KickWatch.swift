import VirtioModel

/// What keeps a guest's driver waiting, in words for a person.
public enum VirtioIOMMUTrouble: Equatable, Sendable, CustomStringConvertible {
    /// The driver says that there are requests, and its ring never shows one.
    case memoryNotShared(kicks: UInt64)
    /// A queue broke a rule; the driver is asked for a reset.
    case queueStopped(Int, VirtqueueViolation)

    public var description: String {
        switch self {
        case .memoryNotShared(let kicks):
            "the guest has notified its request queue (\(kicks) times), and the ring never moves: the guest's memory is not shared. "
                + "QEMU needs share=on, as in -object memory-backend-memfd,id=ram,size=1G,share=on -machine memory-backend=ram"
        case .queueStopped(let index, .unreachable):
            "the guest's \(index == 0 ? "request" : "event") queue was stopped: it or a buffer is in memory that the relay does not "
                + "see. QEMU needs memory that is a file, and share=on, as in -object memory-backend-memfd,id=ram,size=1G,share=on"
        case .queueStopped(let index, let violation):
            "the guest's \(index == 0 ? "request" : "event") queue was stopped, since it broke a rule: \(violation)"
        }
    }
}

/// Notices a driver that spins on a ring which is not the one that is seen here: QEMU's memory is a private copy of the file
/// (share=off). Linux notifies once and then waits without an end.
struct KickWatch {
    /// Longer than any guest stops between the store of an index and the notification: it is before that.
    static let nanoseconds: UInt64 = 1_000_000_000

    private var kicks: UInt64 = 0
    private var since: UInt64 = 0
    private var hasTaken = false
    private var wasTold = false

    /// It has to be looked at although nobody wakes the function.
    var isWaiting: Bool { kicks > 0 && !hasTaken && !wasTold }

    /// The driver notified its queue.
    mutating func kick(at nanoseconds: UInt64) {
        guard !hasTaken else { return }
        if kicks == 0 { since = nanoseconds }
        kicks &+= 1
    }

    mutating func took() { hasTaken = true }

    /// Once, when it is clear.
    mutating func trouble(at nanoseconds: UInt64) -> VirtioIOMMUTrouble? {
        guard isWaiting, nanoseconds &- since >= Self.nanoseconds else { return nil }
        wasTold = true
        return .memoryNotShared(kicks: kicks)
    }
}
