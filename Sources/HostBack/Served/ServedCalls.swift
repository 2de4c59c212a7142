import DeviceAccess
import DeviceMemory
import IOMMURelay
import LinuxIO
import Synchronization

/// Asks another server, one call after the other, on a thread of its own: no message of the relay's waits for an answer.
///
/// A server that does not answer in time, that will not unmap, or that hangs up is asked nothing any more: its connection ends.
final class ServedCalls: Sendable {
    enum Call: Sendable {
        /// All of them, or none.
        case map([FilePiece])
        case unmap(IOVARange)
    }

    private struct State {
        var waiting: [Call] = []
        var isCalling = false
        /// Of the last map.
        var refusal: HostMapperError?
        var end: String?
        var isStopped = false
    }

    /// How often a server that is asked nothing is looked at, in milliseconds.
    private static let lookMilliseconds: Int32 = 100

    /// In one call: others of the function's wait for it.
    private static let unmapsTogether = 256

    private let server: any MappingServer
    private let ended: @Sendable (String) -> Void
    private let wake: EventFD
    private let state = Mutex(State())

    /// - Parameter ended: called once, on the thread, when the server is asked nothing any more.
    init(_ server: any MappingServer, ended: @escaping @Sendable (String) -> Void) throws(SystemCallError) {
        self.server = server
        self.ended = ended
        wake = try EventFD()
        // It ends with `stop()`.
        _ = try WorkerThread { [self] in work() }
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        wake.signal()
    }

    // MARK: The relay's side

    func ask(_ call: Call) {
        state.withLock { state in if state.end == nil { state.waiting.append(call) } }
        wake.signal()
    }

    /// Ends the connection: what is under way fails.
    func giveUp(_ reason: String) { server.hangUp(reason) }

    /// Nothing that was asked is still to be done.
    var isIdle: Bool { state.withLock { $0.waiting.isEmpty && !$0.isCalling } }
    /// Why the server is asked nothing any more.
    var end: String? { state.withLock { $0.end } }
    func takeRefusal() -> HostMapperError? { state.withLock { $0.refusal.take() } }

    // MARK: The thread

    private func work() {
        while !state.withLock({ $0.isStopped }) {
            let calls = takeAll()
            if calls.isEmpty { rest() } else { carryOut(calls) }
        }
        server.hangUp("the relay has ended")
    }

    private func takeAll() -> [Call] {
        state.withLock { state in
            defer { state.waiting = [] }
            state.isCalling = !state.waiting.isEmpty
            return state.waiting
        }
    }

    private func rest() {
        let hasEnded = end != nil
        _ = waitForEvents([PollRequest(wake.number, .readable)], timeoutMilliseconds: hasEnded ? -1 : Self.lookMilliseconds)
        wake.drain()
        guard !hasEnded else { return }
        do throws(DeviceError) { try server.checkPresence() } catch { finish("\(error)") }
    }

    private func carryOut(_ calls: [Call]) {
        var unmaps: [IOVARange] = []
        do throws(DeviceError) {
            for call in calls {
                switch call {
                case .map(let pieces):
                    try unmap(&unmaps)
                    try map(pieces)
                case .unmap(let range):
                    unmaps.append(range)
                    if unmaps.count == Self.unmapsTogether { try unmap(&unmaps) }
                }
            }
            try unmap(&unmaps)
            state.withLock { $0.isCalling = false }
        } catch {
            finish("\(error)")
        }
    }

    private func unmap(_ ranges: inout [IOVARange]) throws(DeviceError) {
        guard !ranges.isEmpty else { return }
        try server.unmap(ranges)
        ranges = []
    }

    /// Throws what the connection does not outlive; a refusal it does.
    private func map(_ pieces: [FilePiece]) throws(DeviceError) {
        for (index, piece) in pieces.enumerated() {
            do throws(DeviceError) { try server.map(piece) } catch {
                guard case .systemCall = error else { throw error }
                if index > 0 { try server.unmap(pieces[..<index].map(\.range)) }
                state.withLock { $0.refusal = HostMapperError(error) }
                return
            }
        }
    }

    private func finish(_ reason: String) {
        server.hangUp(reason)
        let isNew = state.withLock { state in
            state.waiting = []
            state.isCalling = false
            defer { state.end = state.end ?? reason }
            return state.end == nil
        }
        if isNew { ended(reason) }
    }
}
