import IOMMURelay
import LinuxIO
import Synchronization
import VfioUser

/// Brings the end of another server to the relay's thread: its endpoint is blocked there, and the guest told.
final class ServedWatch: ServedFunction {
    /// What the thread that notices it leaves.
    final class Notice: Sendable {
        private let event: EventFD
        private let reason = Mutex<String?>(nil)
        var number: Int32 { event.number }

        init() throws(SystemCallError) { event = try EventFD() }

        func leave(_ text: String) {
            reason.withLock { $0 = text }
            event.signal()
        }

        func take() -> String? {
            event.drain()
            return reason.withLock { $0.take() }
        }
    }

    let control: ServerControl
    private let endpoint: UInt32
    private let core: IOMMUCore
    private let notice: Notice
    private var reason: String?

    init(endpoint: UInt32, core: IOMMUCore, notice: Notice) throws(SystemCallError) {
        self.endpoint = endpoint
        self.core = core
        self.notice = notice
        control = try ServerControl()
    }

    func open() {}
    func close() {}
    var lastWork: UInt64? { nil }
    var wantsLooks: Bool { false }
    func publish() {}

    /// A request that is under way first meets the failure itself.
    func takeTurn(looking: Bool) -> Bool {
        if looking, reason == nil { reason = notice.take() }
        guard let reason, core.isIdle else { return false }
        core.lose(endpoint: endpoint, reason)
        self.reason = nil
        return true
    }

    func prepareSleep(_ requests: inout [PollRequest]) -> Bool {
        requests.append(PollRequest(notice.number, .readable))
        return reason == nil
    }

    func finishSleep(_ events: [PollEvents], from start: Int) {
        if !events[start].isEmpty { reason = notice.take() ?? reason }
    }
}
