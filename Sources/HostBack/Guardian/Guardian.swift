public import LinuxIO

/// Holds what a relay has of the host, and quiets it when the relay is gone, by whatever: the devices' files are QEMU's too, so
/// that the kernel resets nothing when a relay dies.
public struct Guardian: ~Copyable {
    /// The exit code.
    public enum Ending: Int32, Equatable, Sendable {
        /// Everything is quiet.
        case quiet = 0
        /// A step failed, and is told.
        case failed = 1
        /// The relay said something that is not understood.
        case misunderstood = 2
    }

    private let link: UnixSocket
    private let log: (String) -> Void
    private var things: GuardedThings
    private var bytes: [UInt8] = []
    private var descriptors: [ReceivedDescriptor] = []

    /// - Parameters:
    ///   - link: to the relay. It is told that the guardian is ready.
    ///   - log: takes lines, after everything is quiet.
    public init(_ link: consuming UnixSocket, host: any GuardedHost = KernelGuardedHost(), log: @escaping (String) -> Void) {
        self.link = link
        self.log = log
        things = GuardedThings(host)
    }

    /// Waits for the relay's end, and quiets.
    public mutating func run() -> Ending {
        // A relay that is gone already is seen below.
        _ = try? link.send([GuardianLink.ready])
        while true {
            do throws(GuardianError) {
                switch try receive() {
                case .some(let message):
                    try take(message)
                    if message == .goodbye { return quiet("the relay has ended", resets: false) }
                case .none: return quiet("the relay is gone without a goodbye", resets: true)
                }
            } catch {
                let ending = quiet("the relay is not understood (\(error))", resets: true)
                return ending == .quiet ? .misunderstood : ending
            }
        }
    }

    private mutating func take(_ message: GuardianMessage) throws(GuardianError) {
        guard descriptors.count <= (message.carriesDescriptor ? 1 : 0) else { throw .strayDescriptor }
        guard message == .deathNotice else { return try things.take(message, descriptors.popLast()) }
        guard let notice = descriptors.popLast()?.take() else { throw .noDescriptor }
        try heed(notice)
    }

    /// Ends the link as soon as the relay's thread is dead. What the relay had sent until then is read nevertheless.
    private func heed(_ notice: consuming OwnedDescriptor) throws(GuardianError) {
        do throws(SystemCallError) {
            let end = UnixSocket(adopting: try link.descriptor.duplicate())
            let pages = try DeathNotice(notice)
            _ = try WorkerThread {
                pages.awaitDeath()
                end.shutDown()
            }
        } catch { throw .badNotice("\(error)") }
    }

    /// The next message; nil: the relay is gone.
    private mutating func receive() throws(GuardianError) -> GuardianMessage? {
        bytes = []
        var chunk = [UInt8](repeating: 0, count: GuardianMessage.byteCount)
        while bytes.count < GuardianMessage.byteCount {
            // The kernel ends a receive behind the bytes that descriptors came with (unix(7)), and no message is asked for in part.
            let outcome: ReceiveOutcome
            do throws(SystemCallError) {
                outcome = try link.receive(
                    into: &chunk, from: 0, byteCount: GuardianMessage.byteCount - bytes.count, descriptors: &descriptors)
            } catch {
                if error.errno == .connectionReset { return nil }
                throw .receive("\(error)")
            }
            switch outcome {
            case .bytes(let count, let descriptorsLost):
                if descriptorsLost { throw .noDescriptor }
                bytes += chunk[..<count]
            case .wouldBlock: _ = waitForEvents([PollRequest(link.number, .readable)], timeoutMilliseconds: -1)
            // A part of a message is as good as none: it was being sent when the relay died.
            case .closed: return nil
            }
        }
        return try GuardianMessage.parse(bytes)
    }

    private func quiet(_ reason: String, resets: Bool) -> Ending {
        let start = MonotonicClock.nanoseconds()
        let steps = things.quiet(resets: resets) { MonotonicClock.nanoseconds() &- start }
        let failed = steps.filter { $0.failure != nil }
        // Only now: a log may have no reader any more, or a slow one. After a goodbye what went well is no news.
        let told = resets ? steps : failed
        if !told.isEmpty { log("\(reason): its devices are \(failed.isEmpty ? "quiet" : "NOT all quiet")") }
        for step in told { log("\(step)") }
        return failed.isEmpty ? .quiet : .failed
    }
}
